package capture

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestServerSentEventsComeAtOnce(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprint("h2=", h2), func(t *testing.T) {
			r := newRig(t)
			next := make(chan struct{})
			r.origin("sse.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for i := range 3 {
					fmt.Fprintf(w, "data: %d\n\n", i)
					_ = http.NewResponseController(w).Flush()
					<-next // until the client has it
				}
			}))
			resp, err := r.client(h2).Get("https://sse.example/")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			for i := range 3 {
				want := fmt.Sprintf("data: %d\n\n", i)
				got := make([]byte, len(want))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
					t.Fatalf("event %d is %q, %v", i, got, err)
				}
				next <- struct{}{}
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			f, rec := r.one()
			if rec.body(t, f.Response.Body) != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
				t.Error("the stream was recorded otherwise")
			}
		})
	}
}

// Bytes of an answer that is slow pass as they come, though its length is known.
func TestASlowAnswerIsNotHeldBack(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRig(t)
		next := make(chan struct{})
		r.origin("slow.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "first")
			_ = http.NewResponseController(w).Flush()
			<-next
			_, _ = io.WriteString(w, "later")
		}))
		resp, err := r.client(h2).Get("https://slow.example/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got := make([]byte, 5)
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != "first" {
			t.Errorf("first came %q, %v", got, err)
		}
		close(next)
		if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "later" {
			t.Errorf("then came %q, %v", rest, err)
		}
	})
}

// gRPC is a stream both ways at once, over one request.
func TestAStreamBothWaysAtOnce(t *testing.T) {
	r := newRig(t)
	r.origin("grpc.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		_ = http.NewResponseController(w).Flush()
		lines := bufio.NewScanner(q.Body)
		for lines.Scan() {
			fmt.Fprintln(w, strings.ToUpper(lines.Text()))
			_ = http.NewResponseController(w).Flush()
		}
		w.Header().Set("Grpc-Status", "0")
	}))
	body, pen := io.Pipe()
	q, err := http.NewRequest("POST", "https://grpc.example/chat.Chat/Talk", body)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Te", "trailers")
	resp, err := r.client(true).Do(q)
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(resp.Body)
	for _, word := range []string{"anna", "berta", "clara"} {
		fmt.Fprintln(pen, word)
		if !answers.Scan() || answers.Text() != strings.ToUpper(word) {
			t.Fatalf("the answer to %s is %q, %v", word, answers.Text(), answers.Err())
		}
	}
	_ = pen.Close()
	if answers.Scan() || resp.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("at the end came %q and the trailers %v", answers.Text(), resp.Trailer)
	}
	_ = resp.Body.Close()
	f, rec := r.one()
	if rec.body(t, f.Request.Body) != "anna\nberta\nclara\n" || rec.body(t, f.Response.Body) != "ANNA\nBERTA\nCLARA\n" || f.Request.Body.Cut+f.Response.Body.Cut != "" {
		t.Errorf("flow %+v, %+v", f.Request, f.Response)
	}
	if header(f.Response.Trailers, "grpc-status") != "0" || header(f.Request.Headers, "te") != "trailers" || f.Response.Proto != "HTTP/2.0" {
		t.Errorf("flow %+v, %+v", f.Request, f.Response)
	}
}

func TestCloseCutsWhatDoesNotEnd(t *testing.T) {
	r := newRig(t)
	r.origin("sse.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-q.Context().Done()
	}))
	resp, err := r.client(true).Get("https://sse.example/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.proxy.Close(ctx); err != nil {
		t.Error(err)
	}
	f, rec := r.one()
	if f.Response == nil || f.Response.Body.Cut != "the capture ended" || rec.body(t, f.Response.Body) != "first" {
		t.Errorf("response %+v", f.Response)
	}
}

func TestCloseWaitsForWhatEnds(t *testing.T) {
	r := newRig(t)
	there, answer := make(chan struct{}), make(chan struct{})
	r.origin("slow.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		close(there)
		<-answer
		_, _ = io.WriteString(w, "at last")
	}))
	got := make(chan string)
	go func() { got <- get(t, r.client(true), "https://slow.example/") }()
	<-there
	closed := make(chan struct{})
	go func() { r.close(); close(closed) }()
	select {
	case <-closed:
		t.Error("Close did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	close(answer)
	if text := <-got; text != "at last" {
		t.Errorf("the client got %q", text)
	}
	<-closed
	if f, rec := r.one(); f.Response.Body.Cut != "" || rec.body(t, f.Response.Body) != "at last" {
		t.Errorf("response %+v", f.Response)
	}
}
