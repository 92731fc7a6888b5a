package container

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fxcbor "github.com/fxamacker/cbor/v2"
	vmsgpack "github.com/vmihailenco/msgpack/v5"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	someUUID = "38400000-8cf0-11bd-b23e-10b96e40000d"
	someMail = "canary.mail@example.org"
)

var rawUUID = []byte{0x38, 0x40, 0, 0, 0x8c, 0xf0, 0x11, 0xbd, 0xb2, 0x3e, 0x10, 0xb9, 0x6e, 0x40, 0, 0x0d}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// vectors are whole messages, by format and name, made by encoders of others.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	m := map[string]any{"user": map[string]any{"mail": someMail, "age": 41}, "ids": []any{someUUID, "second-identifier"}, "raw": rawUUID}
	v := map[string][]byte{
		"json/object":         []byte(`{"user":{"mail":"` + someMail + `","age":41},"ids":["` + someUUID + `"]}`),
		"json/list":           []byte(`["a",1,true,null]`),
		"json/string":         []byte(`"hello world"`),
		"json/lines":          []byte("{\"a\":1}\n{\"a\":2}\n"),
		"json/sequence":       []byte("\x1e{\"a\":1}\n\x1e{\"a\":2}\n"),
		"json/guard":          []byte(")]}',\n{\"a\":1}"),
		"json/jsonp":          []byte(`/**/cb.x[0]({"a":"b"});`),
		"sse/stream":          []byte("event: hello\nid: 7\ndata: {\"mail\":\"" + someMail + "\"}\n\n: ping\n\ndata: b\ndata: c\n\n"),
		"form/plain":          []byte("a=1&user[mail]=canary.mail%40example.org&ids[]=x&ids[]=y+z"),
		"xml/plain":           []byte(`<?xml version="1.0"?><root id="` + someUUID + `"><a>` + someMail + `</a><a><![CDATA[b<c]]></a></root>`),
		"xml/bare":            []byte(`<request><mail>` + someMail + `</mail></request>`),
		"msgpack/map":         must(vmsgpack.Marshal(m)),
		"cbor/map":            must(fxcbor.Marshal(m)),
		"protobuf/event":      protobufEvent(),
		"protobuf/struct":     must(proto.Marshal(must(structpb.NewStruct(map[string]any{"mail": someMail, "age": 41})))),
		"protobuf/descriptor": must(proto.Marshal(protodesc.ToFileDescriptorProto(descriptorpb.File_google_protobuf_descriptor_proto))),
		"protobuf/one":        protowire.AppendString([]byte("\n"), someUUID),
		"grpc/one":            grpcFrame(0, protobufEvent()),
		"grpc/two":            append(grpcFrame(0, protobufEvent()), grpcFrame(0, protobufEvent())...),
		"grpc/web":            append(grpcFrame(0, protobufEvent()), grpcFrame(0x80, []byte("grpc-status: 0\r\n"))...),
		"zip/two":             zipOf("a/mail.txt", someMail, "b.bin", string(rawUUID)),
		"tar/two":             tarOf(tar.FormatUnknown),
		"tar/pax":             tarOf(tar.FormatPAX),
		"tar/gnu":             tarOf(tar.FormatGNU),
	}
	files, err := filepath.Glob("testdata/*.plist")
	if err != nil || len(files) < 3 {
		t.Fatalf("testdata: %v %v", files, err)
	}
	for _, f := range files {
		v["plist/"+filepath.Base(f)] = must(os.ReadFile(f))
	}
	return v
}

func protobufEvent() []byte {
	user := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), someMail)
	user = protowire.AppendVarint(protowire.AppendTag(user, 2, protowire.VarintType), 41)
	var b []byte
	b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), user)
	for _, id := range []string{someUUID, "second-identifier"} {
		b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), id)
	}
	b = protowire.AppendFixed64(protowire.AppendTag(b, 3, protowire.Fixed64Type), math.Float64bits(52.520008))
	b = protowire.AppendFixed32(protowire.AppendTag(b, 4, protowire.Fixed32Type), 0xfffffffe)
	b = protowire.AppendVarint(protowire.AppendTag(b, 5, protowire.VarintType), 356938035643809)
	b = protowire.AppendBytes(protowire.AppendTag(b, 6, protowire.BytesType), rawUUID)
	b = protowire.AppendVarint(protowire.AppendTag(b, 7, protowire.VarintType), protowire.EncodeZigZag(-525200080))
	return b
}

func grpcFrame(flags byte, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(message))), message...)
}

func zipOf(namesAndTexts ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(namesAndTexts); i += 2 {
		must(must(w.Create(namesAndTexts[i])).Write([]byte(namesAndTexts[i+1])))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func tarOf(format tar.Format) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range [][2]string{{"a/mail.txt", someMail}, {strings.Repeat("long/", 12) + "b.bin", string(rawUUID)}} {
		h := tar.Header{Name: f[0], Size: int64(len(f[1])), Mode: 0o600, Uname: "someone", Format: format}
		if format == tar.FormatPAX {
			h.PAXRecords = map[string]string{"VENDOR.id": someUUID}
		}
		if err := w.WriteHeader(&h); err != nil {
			panic(err)
		}
		must(w.Write([]byte(f[1])))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestProtobuf(t *testing.T) {
	expect(t, protobuf, protobufEvent(),
		"$.1.1 text 1 "+someMail,
		"$.1.2 number 2 41",
		"$.2[0] text 2 "+someUUID,
		"$.2[1] text 2 second-identifier",
		fmt.Sprintf("$.3 number 3 %d", math.Float64bits(52.520008)),
		"$.3 number 3 52.520008",
		"$.4 number 4 4294967294",
		"$.4 number 4 -2",
		"$.5 number 5 356938035643809",
		"$.5 number 5 -178469017821905",
		"$.6 bytes 6 384000008cf011bdb23e10b96e40000d",
		"$.7 number 7 1050400159",
		"$.7 number 7 -525200080",
	)
	// The length of a UUID is a digit's or a letter's code: the whole is text to look at.
	one := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), someUUID)
	expect(t, protobuf, protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), one),
		"$.3 text 3 \n$"+someUUID, "$.3.1 text 1 "+someUUID)
	packed := protowire.AppendVarint(protowire.AppendVarint(nil, 356938035643809), 300)
	expect(t, protobuf, protowire.AppendBytes(protowire.AppendTag(nil, 9, protowire.BytesType), packed),
		"$.9 bytes 9 a18bc9e6a19451ac02",
		"$.9[0] number 9 356938035643809", "$.9[0] number 9 -178469017821905")
	// A field whose end is cut off shows what there is.
	got, err := shown(t, protobuf, protobufEvent()[:20])
	if err != ErrOther || len(got) != 1 || got[0] != "$.1.1 text 1 "+someMail[:16] {
		t.Errorf("%q %v", got, err)
	}
	group := protowire.AppendTag(nil, 2, protowire.StartGroupType)
	group = protowire.AppendString(protowire.AppendTag(group, 1, protowire.BytesType), someMail)
	group = protowire.AppendTag(group, 2, protowire.EndGroupType)
	expect(t, protobuf, group, "$.2.1 text 1 "+someMail)
}

func TestProtobufDeep(t *testing.T) {
	b := []byte(someMail)
	for range 5000 {
		b = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), b)
	}
	start := time.Now()
	if _, err := shown(t, protobuf, b); err != nil && err != ErrDeep {
		t.Error(err)
	}
	looksProtobuf(b)
	if d := time.Since(start); d > time.Second {
		t.Errorf("%d bytes took %v", len(b), d)
	}
}

func TestGRPC(t *testing.T) {
	m := protobufEvent()
	expect(t, grpc, grpcFrame(0, m), fmt.Sprintf("$ bytes  %x", m))
	two := append(grpcFrame(0, m), grpcFrame(0, []byte("\x0a\x01a"))...)
	expect(t, grpc, append(two, grpcFrame(0x80, []byte("grpc-status: 0"))...),
		fmt.Sprintf("$[0] bytes  %x", m), "$[1] bytes  0a0161", "$.trailers text  grpc-status: 0")
	expect(t, grpc, append(grpcFrame(0, m), grpcFrame(2, []byte(`{"error":{}}`))...),
		fmt.Sprintf("$ bytes  %x", m), `$.trailers text  {"error":{}}`)
	got, err := shown(t, grpc, append(grpcFrame(0, m), 0, 0xff, 0xff, 0xff, 0xff, 'a'))
	if err != ErrOther || len(got) != 2 || got[1] != "$[1] bytes  61" {
		t.Errorf("%q %v", got, err)
	}
	frames, ok := GRPCWebText([]byte("AAAAAAMKAWE=gAAAAAVhOiAwDQ=="))
	if want := append(grpcFrame(0, []byte("\x0a\x01a")), grpcFrame(0x80, []byte("a: 0\r"))...); !ok || !bytes.Equal(frames, want) {
		t.Errorf("%x", frames)
	}
}

func TestMsgpack(t *testing.T) {
	var b bytes.Buffer
	e := vmsgpack.NewEncoder(&b)
	e.SetSortMapKeys(true)
	err := e.Encode(map[string]any{
		"at": time.Unix(1700000000, 5e8).UTC(), "big": uint64(math.MaxUint64), "f": 52.520008, "ids": []string{someUUID}, "neg": int64(-5), "ok": true, "raw": rawUUID, "zero": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, msgpack, b.Bytes(),
		"$.at number at 1700000000", "$.at text at 2023-11-14T22:13:20.5Z", "$.big number big 18446744073709551615", "$.f number f 52.520008",
		"$.ids[0] text ids "+someUUID, "$.neg number neg -5", "$.ok bool ok true", "$.raw bytes raw 384000008cf011bdb23e10b96e40000d")
	expect(t, msgpack, must(vmsgpack.Marshal(map[string]int{someUUID: 1})), "$ text  "+someUUID, "$['"+someUUID+"'] number "+someUUID+" 1")
	expect(t, msgpack, []byte{0x81, 0x07, 0xa1, 'x', 0x93, 0xd0, 0x80, 0xd1, 0xff, 0x00, 0xca, 0x3f, 0xc0, 0, 0},
		"$['7'] text 7 x", "$[1][0] number  -128", "$[1][1] number  -256", "$[1][2] number  1.5")
	for _, lie := range []string{"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff\xa1a", "\xdb\xff\xff\xff\xffabcdefgh", "\xc6\xff\xff\xff\xff", "\xc9\xff\xff\xff\xff\x01"} {
		if _, err := shown(t, msgpack, []byte(lie)); err != ErrOther {
			t.Errorf("%x: %v", lie, err)
		}
	}
	if _, err := shown(t, msgpack, bytes.Repeat([]byte{0x91}, 1<<20)); err != ErrDeep {
		t.Error(err)
	}
}

func TestCBOR(t *testing.T) {
	mode := must(fxcbor.EncOptions{Sort: fxcbor.SortBytewiseLexical, Time: fxcbor.TimeRFC3339, TimeTag: fxcbor.EncTagRequired}.EncMode())
	expect(t, cbor, must(mode.Marshal(map[string]any{
		"at": time.Unix(1700000000, 0).UTC(), "f": 52.520008, "g": float32(1.5), "ids": []string{someUUID}, "neg": -5, "ok": true, "raw": rawUUID, "nil": nil,
	})), "$.f number f 52.520008", "$.g number g 1.5", "$.at text at 2023-11-14T22:13:20Z", "$.ok bool ok true",
		"$.ids[0] text ids "+someUUID, "$.neg number neg -5", "$.raw bytes raw 384000008cf011bdb23e10b96e40000d")
	for data, want := range map[string]string{ // RFC 8949, appendix A
		"\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00": "$ number  18446744073709551616",
		"\xc3\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00": "$ number  -18446744073709551617",
		"\x3b\xff\xff\xff\xff\xff\xff\xff\xff":         "$ number  -18446744073709551616",
		"\xf9\x3e\x00":                                 "$ number  1.5",
		"\xf9\xc4\x00":                                 "$ number  -4",
		"\xfb\xc0\x10\x66\x66\x66\x66\x66\x66":         "$ number  -4.1",
		"\xd8\x18\x45\x64IETF":                         "$ text  IETF",
		"\x5f\x42\x01\x02\x43\x03\x04\x05\xff":         "$ bytes  0102030405",
		"\x7f\x65strea\x64ming\xff":                    "$ text  streaming",
		"\xbf\x63Fun\xf5\xff":                          "$.Fun bool Fun true",
		"\x9f\x01\xff":                                 "$[0] number  1",
		"\xa1\x18\x2a\x61x":                            "$['42'] text 42 x",
		"\xd9\xd9\xf7\x61x":                            "$ text  x",
		"\xd8\x25\x50" + string(rawUUID):               "$ bytes  384000008cf011bdb23e10b96e40000d",
		"\xd8\x20\x77http://www.example.com/":          "$ text  http://www.example.com/",
		"\xc1\x1a\x51\x4b\x67\xb0":                     "$ number  1363896240",
	} {
		expect(t, cbor, []byte(data), want)
	}
	for _, lie := range []string{"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x61a", "\x5b\xff\xff\xff\xff\xff\xff\xff\xffab", "\x7f\x61a", "\x9f\x01", "\xff", "\x1c"} {
		if _, err := shown(t, cbor, []byte(lie)); err != ErrOther {
			t.Errorf("%x: %v", lie, err)
		}
	}
	if _, err := shown(t, cbor, bytes.Repeat([]byte{0xc1}, 1<<20)); err != ErrDeep {
		t.Error(err)
	}
}

func TestBplist(t *testing.T) {
	for _, name := range []string{"binary.plist", "xml.plist"} {
		data := must(os.ReadFile("testdata/" + name))
		f := bplist
		if name == "xml.plist" {
			f = plist
		}
		expect(t, f, data,
			"$.at text at 2023-11-14T22:13:20Z",
			"$.big number big 18446744073709551615",
			"$.f number f 52.520008",
			"$.ids[0] text ids "+someUUID,
			"$.ids[1] text ids Zwölf Boxkämpfer 🦊",
			"$.neg number neg -5",
			"$.ok bool ok true",
			"$.raw bytes raw 384000008cf011bdb23e10b96e40000d",
			"$.user text user "+someUUID,
			"$.user['"+someUUID+"'] text "+someUUID+" "+someMail,
		)
	}
	expect(t, bplist, must(os.ReadFile("testdata/uid.plist")), "$.uid number uid 300", "$.x text x "+someMail)
	// Without its end the strings are shown all the same.
	whole := must(os.ReadFile("testdata/binary.plist"))
	got, err := shown(t, bplist, whole[:len(whole)-10])
	if all := strings.Join(got, "\n"); err != ErrOther || !strings.Contains(all, someMail) || !strings.Contains(all, "🦊") {
		t.Errorf("%v: %s", err, all)
	}
}

// laughs is a property list of lists that hold the next one twice.
func laughs(levels int) []byte {
	b := []byte("bplist00")
	var offsets []byte
	for i := range levels {
		offsets = append(offsets, byte(len(b)))
		b = append(b, 0xa2, byte(i+1), byte(i+1))
	}
	offsets = append(offsets, byte(len(b)))
	b = append(b, 0x54, 'l', 'o', 'l', '!')
	table := len(b)
	b = append(b, offsets...)
	b = append(b, 0, 0, 0, 0, 0, 0, 1, 1)
	b = binary.BigEndian.AppendUint64(b, uint64(len(offsets)))
	b = binary.BigEndian.AppendUint64(b, 0)
	return binary.BigEndian.AppendUint64(b, uint64(table))
}

func TestBplistBombs(t *testing.T) {
	if got, err := shown(t, bplist, laughs(3)); err != nil || len(got) != 8 {
		t.Errorf("%v %v", got, err)
	}
	b := Budget{Bytes: 1000, Values: 10_000}
	bytes := 0
	err := bplist.Read(laughs(60), nil, &b, func(_ *Step, _ string, _ Type, v []byte) { bytes += len(v) })
	if err != ErrBudget || bytes > 1000 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
	self := laughs(1)
	self[9], self[10] = 0, 0 // the list holds itself
	if _, err := shown(t, bplist, self); err != ErrDeep {
		t.Error(err)
	}
}

func TestZIP(t *testing.T) {
	data := zipOf("a/mail.txt", someMail, "b.bin", string(rawUUID))
	want := []string{
		"$ text  a/mail.txt", fmt.Sprintf("$['a/mail.txt'] bytes mail.txt %x", someMail),
		"$ text  b.bin", "$['b.bin'] bytes b.bin 384000008cf011bdb23e10b96e40000d",
	}
	expect(t, zipFormat, data, want...)
	// Without its directory, and with data descriptors, as the writer makes them.
	end := bytes.Index(data, []byte("PK\x01\x02"))
	got, err := shown(t, zipFormat, data[:end])
	if err != ErrOther || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v: %q", err, got)
	}
}

func TestZIPBomb(t *testing.T) {
	bomb := zipOf("zeros", string(make([]byte, 64<<20)))
	for _, data := range [][]byte{bomb, bomb[:len(bomb)-22]} {
		b := Budget{Bytes: 1 << 20, Values: 100}
		most := 0
		err := zipFormat.Read(data, nil, &b, func(_ *Step, _ string, _ Type, v []byte) { most = max(most, len(v)) })
		if err != ErrBudget || most != 1<<20 {
			t.Errorf("%d bytes, %v", most, err)
		}
	}
}

func TestTar(t *testing.T) {
	long := strings.Repeat("long/", 12) + "b.bin"
	for _, f := range []tar.Format{tar.FormatUSTAR, tar.FormatGNU} {
		expect(t, tarFormat, tarOf(f),
			"$ text  a/mail.txt", "$ text  someone", fmt.Sprintf("$['a/mail.txt'] bytes mail.txt %x", someMail),
			"$ text  "+long, "$ text  someone", "$['"+long+"'] bytes b.bin 384000008cf011bdb23e10b96e40000d")
	}
	got, err := shown(t, tarFormat, tarOf(tar.FormatPAX))
	if all := strings.Join(got, "\n"); err != nil || !strings.Contains(all, "$ text  "+someUUID) {
		t.Errorf("%v: %s", err, all)
	}
	cut, err := shown(t, tarFormat, tarOf(tar.FormatUSTAR)[:tarBlock+10])
	if err != ErrOther || len(cut) != 3 || cut[2] != fmt.Sprintf("$['a/mail.txt'] bytes mail.txt %x", someMail[:10]) {
		t.Errorf("%v: %q", err, cut)
	}
}
