package container

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	fxcbor "github.com/fxamacker/cbor/v2"
	"google.golang.org/protobuf/encoding/protowire"
)

// record is an event as an SDK sends it.
func record(i int) map[string]any {
	return map[string]any{
		"event_name": "screen_view", "timestamp": 1700000000 + i, "session": fmt.Sprintf("%08x", i*2654435761),
		"device": map[string]any{"model": "Pixel 8 Pro", "os_version": "14", "locale": "de-DE", "battery": 0.87, "rooted": false},
		"ids":    []any{someUUID, "aaid", "none"}, "message": "The user opened the screen with the list of all things.",
	}
}

func benchmark(b *testing.B, f Format, data []byte) {
	n := 0
	if f.Looks(data) != Certain {
		b.Fatal("not taken for ", f.Name)
	}
	if err := f.Read(data, nil, nil, func(*Step, string, Type, []byte) { n++ }); err != nil || n < 1000 {
		b.Fatal(n, err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		f.Looks(data)
		if err := f.Read(data, nil, nil, func(*Step, string, Type, []byte) {}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	var records []any
	var js, proto bytes.Buffer
	js.WriteByte('[')
	for i := range 2000 {
		r := record(i)
		records = append(records, r)
		if i > 0 {
			js.WriteByte(',')
		}
		fmt.Fprintf(&js, `{"event_name":"screen_view","timestamp":%d,"session":"%08x","device":{"model":"Pixel 8 Pro","os_version":"14","locale":"de-DE","battery":0.87,"rooted":false},"ids":["%s","aaid","none"],"message":"%s"}`,
			1700000000+i, i*2654435761, someUUID, r["message"])
		proto.Write(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), protobufEvent()))
	}
	js.WriteByte(']')
	xml := "<events>" + strings.Repeat(`<event name="screen_view"><mail>`+someMail+`</mail><text>The user opened the screen.</text></event>`, 2000) + "</events>"
	b.Run("json", func(b *testing.B) { benchmark(b, json, js.Bytes()) })
	b.Run("protobuf", func(b *testing.B) { benchmark(b, protobuf, proto.Bytes()) })
	b.Run("msgpack", func(b *testing.B) { benchmark(b, msgpack, must(vmsgpack.Marshal(records))) })
	b.Run("cbor", func(b *testing.B) { benchmark(b, cbor, must(fxcbor.Marshal(records))) })
	b.Run("xml", func(b *testing.B) { benchmark(b, xmlFormat, []byte(xml)) })
	b.Run("form", func(b *testing.B) {
		benchmark(b, form, []byte(strings.Repeat("event_name=screen_view&user=canary.mail%40example.org&text=The+user+opened&", 2000)+"a=b"))
	})
	b.Run("sse", func(b *testing.B) {
		benchmark(b, sse, []byte(strings.Repeat("event: message\ndata: {\"mail\":\""+someMail+"\"}\n\n", 2000)))
	})
}
