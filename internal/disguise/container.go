package disguise

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime/multipart"
	"net/url"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/vmihailenco/msgpack/v5"
	"google.golang.org/protobuf/encoding/protowire"
	"howett.net/plist"
)

// containers hold the value among other values, as the bodies of real requests do.
// Those that only structure add nothing to a chain.
func containers() []Disguise {
	in := func(name string, text bool, contentType string, write func(v []byte, env *Env) []byte) Disguise {
		return Disguise{Name: name, Text: text, Container: true, ContentType: contentType, Encode: write}
	}
	binary := func(d Disguise, chain ...string) Disguise {
		d.Binary, d.Chain = true, chain
		return d
	}
	return []Disguise{
		in("json", true, "application/json", inJSON),
		in("json/in-json", true, "application/json", func(v []byte, env *Env) []byte { return inJSON(inJSON(v, env), env) }),
		in("json/escaped", true, "application/json", func(v []byte, _ *Env) []byte {
			return []byte(`{"seq":7,"ids":["` + units(string(v), `\u%04x`) + `"]}`)
		}),
		in("json/bytes", false, "application/json", func(v []byte, _ *Env) []byte {
			if len(v) < 8 {
				return nil // a list of few small numbers is just that
			}
			return []byte(`{"seq":7,"data":[` + strings.TrimSuffix(each(v, "%d,"), ",") + `]}`)
		}),
		in("json/signed-bytes", false, "application/json", func(v []byte, _ *Env) []byte {
			if len(v) < 8 {
				return nil
			}
			var b strings.Builder
			for _, c := range v {
				fmt.Fprintf(&b, "%d, ", int8(c)) //nolint:gosec // Java has no other bytes
			}
			return []byte(`[` + strings.TrimSuffix(b.String(), ", ") + `]`)
		}),
		in("ndjson", true, "application/x-ndjson", func(v []byte, _ *Env) []byte {
			return fmt.Appendf(nil, "{\"event\":\"open\",\"at\":1700000001}\n{\"event\":\"view\",\"who\":%s}\n{\"event\":\"close\"}\n", jsonString(v))
		}),
		in("form", false, "application/x-www-form-urlencoded", func(v []byte, _ *Env) []byte {
			return []byte("event=open&did=" + url.QueryEscape(string(v)) + "&n=3")
		}),
		in("multipart", false, "", inMultipart),
		in("xml/element", true, "text/xml", func(v []byte, _ *Env) []byte {
			return []byte(`<?xml version="1.0" encoding="UTF-8"?><report v="2"><device>` + escapedXML(v) + `</device><n>3</n></report>`)
		}),
		in("xml/attribute", true, "application/xml", func(v []byte, _ *Env) []byte {
			return []byte(`<report><device id="` + escapedXML(v) + `" kind="phone"/></report>`)
		}),
		binary(in("protobuf", false, "application/x-protobuf", func(v []byte, _ *Env) []byte { return inProtobuf(v) })),
		binary(in("grpc", false, "application/grpc", func(v []byte, _ *Env) []byte {
			m := inProtobuf(v)
			return append(frameLength(len(m)), m...)
		})),
		binary(in("msgpack", false, "application/msgpack", func(v []byte, _ *Env) []byte {
			var b bytes.Buffer
			e := msgpack.NewEncoder(&b)
			e.SetSortMapKeys(true)
			err := e.Encode(map[string]any{"device": either(v), "seq": 7})
			return must(b.Bytes(), err)
		})),
		binary(in("cbor", false, "application/cbor", func(v []byte, _ *Env) []byte {
			b, err := sortedCBOR.Marshal(map[string]any{"device": either(v), "seq": 7, "ok": true})
			return must(b, err)
		})),
		in("plist/xml", false, "application/x-plist", func(v []byte, _ *Env) []byte {
			b, err := plist.Marshal(map[string]any{"device": either(v), "seq": 7}, plist.XMLFormat)
			return must(b, err)
		}),
		binary(in("plist/binary", false, "application/x-plist", func(v []byte, _ *Env) []byte {
			b, err := plist.Marshal(map[string]any{"device": either(v), "seq": 7}, plist.BinaryFormat)
			return must(b, err)
		})),
		in("cookies", true, "", func(v []byte, _ *Env) []byte {
			if bytes.ContainsAny(v, " \",;\\\t\r\n") || bytes.ContainsFunc(v, func(r rune) bool { return r > 0x7e }) {
				return nil // no such character may stand in a cookie (RFC 6265, section 4.1.1)
			}
			return []byte("theme=dark; did=" + string(v) + "; visits=12")
		}),
		{Name: "jwt", Chain: []string{"jwt"}, Text: true, Container: true, Encode: inToken},
		binary(in("zip/deflated", false, "application/zip", zipped(zip.Deflate)), "zip"),
		binary(in("zip/stored", false, "application/zip", zipped(zip.Store)), "zip"),
		binary(in("tar", false, "application/x-tar", inTar), "tar"),
	}
}

// sortedCBOR writes maps in one order (RFC 8949, section 4.2.1).
var sortedCBOR, _ = cbor.CoreDetEncOptions().EncMode() // the library's own options are valid

func must(b []byte, err error) []byte {
	if err != nil {
		return nil
	}
	return b
}

// either is v as a string where it is text, and as bytes where it is not.
func either(v []byte) any {
	if IsText(v) {
		return string(v)
	}
	return v
}

func jsonString(v []byte) []byte {
	b, err := json.Marshal(string(v))
	return must(b, err)
}

func inJSON(v []byte, _ *Env) []byte {
	return fmt.Appendf(nil, `{"event":"open","context":{"device":%s,"os":"Android 14"},"seq":7}`, jsonString(v))
}

func inMultipart(v []byte, env *Env) []byte {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if w.SetBoundary("----FormBoundary"+string(token(env.Rand, 16))) != nil || w.WriteField("seq", "7") != nil {
		return nil
	}
	part, err := w.CreateFormFile("data", "data.bin")
	if err != nil {
		return nil
	}
	if _, err := part.Write(v); err != nil || w.Close() != nil {
		return nil
	}
	return b.Bytes()
}

func escapedXML(v []byte) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, v) // a buffer takes everything
	return b.String()
}

// inProtobuf is a message in a message: a number, a name and the value as field 4.
func inProtobuf(v []byte) []byte {
	inner := protowire.AppendTag(nil, 1, protowire.BytesType)
	inner = protowire.AppendString(inner, "com.example.app")
	inner = protowire.AppendTag(inner, 4, protowire.BytesType)
	inner = protowire.AppendBytes(inner, v)
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, 1700000001)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	return protowire.AppendBytes(b, inner)
}

// frameLength is what stands before a message in gRPC over HTTP/2, "Length-Prefixed-Message".
func frameLength(n int) []byte { return binary.BigEndian.AppendUint32([]byte{0}, uint32(n)) }

// inToken is a JSON Web Token (RFC 7519) signed with HS256.
func inToken(v []byte, env *Env) []byte {
	segment := base64.RawURLEncoding.EncodeToString
	signed := segment([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		segment(fmt.Appendf(nil, `{"iat":1700000001,"sub":%s}`, jsonString(v)))
	m := hmac.New(sha256.New, []byte("a secret of the service"))
	_, _ = io.WriteString(m, signed) // a hash takes everything
	return []byte(signed + "." + segment(m.Sum(nil)))
}

func zipped(method uint16) func(v []byte, env *Env) []byte {
	return func(v []byte, _ *Env) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, file := range []struct {
			name string
			data []byte
		}{{"meta.txt", []byte("version 2\n")}, {"events.dat", v}} {
			f, err := w.CreateHeader(&zip.FileHeader{Name: file.name, Method: method})
			if err != nil {
				return nil
			}
			if _, err := f.Write(file.data); err != nil {
				return nil
			}
		}
		if w.Close() != nil {
			return nil
		}
		return b.Bytes()
	}
}

func inTar(v []byte, _ *Env) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if w.WriteHeader(&tar.Header{Name: "events.dat", Mode: 0o600, Size: int64(len(v))}) != nil {
		return nil
	}
	if _, err := w.Write(v); err != nil || w.Close() != nil {
		return nil
	}
	return b.Bytes()
}
