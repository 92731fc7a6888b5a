package capture

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/unasked-audit/unasked/harness/flow"
)

// say answers each word in capitals, or all of them at the end, and tells how many
// there were in the trailers. A method that ends with Fail fails.
func say(_ any, s grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(s)
	var words []string
	for {
		var word wrapperspb.StringValue
		err := s.RecvMsg(&word)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		words = append(words, word.Value)
		if strings.HasSuffix(method, "Both") || strings.HasSuffix(method, "Down") {
			for range map[bool]int{true: 3, false: 1}[strings.HasSuffix(method, "Down")] {
				if err := s.SendMsg(wrapperspb.String(strings.ToUpper(word.Value))); err != nil {
					return err
				}
			}
		}
	}
	s.SetTrailer(metadata.Pairs("words", fmt.Sprint(len(words))))
	if strings.HasSuffix(method, "Fail") {
		return status.Error(codes.PermissionDenied, "no")
	}
	if strings.HasSuffix(method, "Both") || strings.HasSuffix(method, "Down") {
		return nil
	}
	return s.SendMsg(wrapperspb.String(strings.ToUpper(strings.Join(words, " "))))
}

// A real gRPC client and server: one message or many, either way, with trailers.
func TestGRPC(t *testing.T) {
	r := newRig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return r.web.certificate("grpc.example") }, NextProtos: []string{"h2"}}
	server := grpc.NewServer(grpc.UnknownServiceHandler(say), grpc.Creds(credentials.NewTLS(config)))
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		<-served
	})
	r.world.put("grpc.example:443", l.Addr().String())
	client, err := grpc.NewClient("passthrough:///grpc.example:443", grpc.WithTransportCredentials(credentials.NewTLS(r.trustFor("grpc.example"))),
		grpc.WithContextDialer(func(_ context.Context, target string) (net.Conn, error) { return r.connect(target), nil }))
	if err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 300_000)
	tests := []struct {
		method   string
		up, down []string
		code     codes.Code
	}{
		{"Unary", []string{"anna"}, []string{"ANNA"}, codes.OK},
		{"Up", []string{"anna", "berta", big}, []string{"ANNA BERTA " + strings.ToUpper(big)}, codes.OK},
		{"Down", []string{"clara"}, []string{"CLARA", "CLARA", "CLARA"}, codes.OK},
		{"Both", []string{"anna", "berta"}, []string{"ANNA", "BERTA"}, codes.OK},
		{"Fail", []string{"anna"}, nil, codes.PermissionDenied},
	}
	for _, test := range tests {
		s, err := client.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/talk.Talk/"+test.method)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, word := range test.up {
			if err := s.SendMsg(wrapperspb.String(word)); err != nil {
				t.Fatal(err)
			}
			if test.method == "Both" { // the answer comes while the client may still speak
				var answer wrapperspb.StringValue
				if err := s.RecvMsg(&answer); err != nil {
					t.Fatal(err)
				}
				got = append(got, answer.Value)
			}
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		for err == nil {
			var answer wrapperspb.StringValue
			if err = s.RecvMsg(&answer); err == nil {
				got = append(got, answer.Value)
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if fmt.Sprint(got) != fmt.Sprint(test.down) || status.Code(err) != test.code || fmt.Sprint(s.Trailer()["words"]) != fmt.Sprintf("[%d]", len(test.up)) {
			t.Errorf("%s: %d answers, %v, trailers %v", test.method, len(got), err, s.Trailer())
		}
	}
	_ = client.Close()
	rec := r.sealed()
	// The client says goodbye in the debug data of GOAWAY, if the connection is not closed before.
	rec.connections = slices.DeleteFunc(rec.connections, func(c flow.Connection) bool {
		return string(c.Up.Inline) == "client transport shutdown"
	})
	if len(rec.flows) != len(tests) || len(rec.connections) != 0 {
		t.Fatalf("%d flows; connections %+v", len(rec.flows), rec.connections)
	}
	for i, test := range tests {
		f := rec.flows[i]
		if f.Request.URL != "https://grpc.example/talk.Talk/"+test.method || header(f.Request.Headers, "content-type") != "application/grpc" || f.Response.Proto != "HTTP/2.0" {
			t.Errorf("%s: %+v", test.method, f.Request)
		}
		trailers := append(f.Response.Headers, f.Response.Trailers...) // a failure may be trailers only
		if header(trailers, "grpc-status") != fmt.Sprint(uint32(test.code)) || header(trailers, "words") != fmt.Sprint(len(test.up)) {
			t.Errorf("%s: trailers %v", test.method, f.Response.Trailers)
		}
		if up, down := grpcWords(t, rec.body(t, f.Request.Body)), grpcWords(t, rec.body(t, f.Response.Body)); fmt.Sprint(up) != fmt.Sprint(test.up) || fmt.Sprint(down) != fmt.Sprint(test.down) {
			t.Errorf("%s: %d messages up and %d down are recorded", test.method, len(up), len(down))
		}
	}
}

// grpcWords reads the frames of a body.
func grpcWords(t *testing.T, body string) (words []string) {
	t.Helper()
	for len(body) >= 5 {
		n := int(binary.BigEndian.Uint32([]byte(body[1:5])))
		var word wrapperspb.StringValue
		if body[0] != 0 || len(body) < 5+n || proto.Unmarshal([]byte(body[5:5+n]), &word) != nil {
			t.Fatalf("no gRPC message: %.20q", body)
		}
		words = append(words, word.Value)
		body = body[5+n:]
	}
	return words
}
