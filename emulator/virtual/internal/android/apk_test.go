package android

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// testAPK describes an APK that a test makes, byte by byte.
type testAPK struct {
	pkg         string
	split       string
	version     int
	min, target int
	testOnly    bool
	debuggable  bool
	needsSplits bool
	permissions []string
	provider    string            // authority
	entry       string            // of a web app
	files       map[string]string // beside the manifest
	signer      string            // name of a key; "-" for no signature
}

// The resource ids of the attributes that a manifest needs.
var attributeIDs = map[string]uint32{
	"name": 0x01010003, "label": 0x01010001, "versionCode": 0x0101021b, "versionName": 0x0101021c, "minSdkVersion": 0x0101020c,
	"targetSdkVersion": 0x01010270, "debuggable": 0x0101000f, "testOnly": 0x01010272, "value": 0x01010024, "exported": 0x01010010, "authorities": 0x01010018,
}

// attr is one attribute: the value is a string, an int or a bool; a name with
// no resource id has no namespace.
type attr struct {
	name  string
	value any
}

type element struct {
	name     string
	attrs    []attr
	children []element
}

func (a testAPK) manifest() element {
	if a.min == 0 {
		a.min = 26
	}
	if a.target == 0 {
		a.target = 34
	}
	if a.version == 0 {
		a.version = 1
	}
	root := element{name: "manifest", attrs: []attr{{"versionCode", a.version}, {"versionName", "1.0"}, {"package", a.pkg}}}
	if a.split != "" {
		root.attrs = append(root.attrs, attr{"split", a.split})
	}
	root.children = append(root.children, element{name: "uses-sdk", attrs: []attr{{"minSdkVersion", a.min}, {"targetSdkVersion", a.target}}})
	for _, p := range a.permissions {
		root.children = append(root.children, element{name: "uses-permission", attrs: []attr{{"name", p}}})
	}
	app := element{name: "application", attrs: []attr{{"label", "Test of " + a.pkg}, {"debuggable", a.debuggable}, {"testOnly", a.testOnly}}}
	if a.needsSplits {
		app.children = append(app.children, element{name: "meta-data", attrs: []attr{{"name", "com.android.vending.splits.required"}, {"value", true}}})
	}
	if a.split == "" {
		activity := element{name: "activity", attrs: []attr{{"name", ".Main"}, {"exported", true}}, children: []element{{name: "intent-filter", children: []element{
			{name: "action", attrs: []attr{{"name", actionMain}}}, {name: "category", attrs: []attr{{"name", categoryLauncher}}},
		}}}}
		if a.entry != "" {
			activity.children = append(activity.children, element{name: "meta-data", attrs: []attr{{"name", webEntry}, {"value", a.entry}}})
		}
		app.children = append(app.children, activity)
	}
	if a.provider != "" {
		app.children = append(app.children, element{name: "provider", attrs: []attr{{"name", ".Provider"}, {"exported", false}, {"authorities", a.provider}}})
	}
	root.children = append(root.children, app)
	return root
}

const androidNS = "http://schemas.android.com/apk/res/android"

// binaryXML compiles a document as aapt does: string pool, resource map, elements.
func binaryXML(root element) []byte {
	var pool []string
	var ids []uint32
	index := map[string]uint32{}
	intern := func(s string) uint32 {
		if i, ok := index[s]; ok {
			return i
		}
		index[s] = uint32(len(pool))
		pool = append(pool, s)
		return index[s]
	}
	var collect func(element)
	collect = func(e element) {
		for _, a := range e.attrs {
			if id, ok := attributeIDs[a.name]; ok {
				if intern(a.name) == uint32(len(ids)) {
					ids = append(ids, id)
				}
			}
		}
		for _, c := range e.children {
			collect(c)
		}
	}
	collect(root)
	const none = 0xffffffff
	u32 := func(v ...uint32) []byte {
		var b []byte
		for _, n := range v {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		return b
	}
	u16 := func(v ...uint16) []byte {
		var b []byte
		for _, n := range v {
			b = binary.LittleEndian.AppendUint16(b, n)
		}
		return b
	}
	chunk := func(typ, header uint16, body []byte) []byte {
		return append(append(u16(typ, header), u32(uint32(8+len(body)))...), body...)
	}
	var nodes []byte
	var write func(element)
	write = func(e element) {
		body := append(u32(1, none, none, intern(e.name)), u16(20, 20, uint16(len(e.attrs)), 0, 0, 0)...)
		for _, a := range e.attrs {
			ns := uint32(none)
			if _, ok := attributeIDs[a.name]; ok {
				ns = intern(androidNS)
			}
			raw, typ, data := uint32(none), uint8(0), uint32(0)
			switch v := a.value.(type) {
			case string:
				raw = intern(v)
				typ, data = 0x03, raw
			case int:
				typ, data = 0x10, uint32(v)
			case bool:
				typ = 0x12
				if v {
					data = none
				}
			}
			body = append(body, u32(ns, intern(a.name), raw)...)
			body = append(body, 8, 0, 0, typ)
			body = append(body, u32(data)...)
		}
		nodes = append(nodes, chunk(0x0102, 16, body)...)
		for _, c := range e.children {
			write(c)
		}
		nodes = append(nodes, chunk(0x0103, 16, u32(1, none, none, intern(e.name)))...)
	}
	prefix, uri := intern("android"), intern(androidNS)
	write(root)
	nodes = append(chunk(0x0100, 16, u32(1, none, prefix, uri)), nodes...)
	nodes = append(nodes, chunk(0x0101, 16, u32(1, none, prefix, uri))...)
	var offsets, data []byte
	for _, s := range pool {
		offsets = append(offsets, u32(uint32(len(data)))...)
		units := utf16.Encode([]rune(s))
		data = append(data, u16(uint16(len(units)))...)
		data = append(data, u16(units...)...)
		data = append(data, 0, 0)
	}
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	strs := append(u32(uint32(len(pool)), 0, 0, uint32(28+len(offsets)), 0), append(offsets, data...)...)
	body := append(chunk(0x0001, 28, strs), chunk(0x0180, 8, u32(ids...))...)
	return chunk(0x0003, 8, append(body, nodes...))
}

// build makes the APK.
func (a testAPK) build(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("AndroidManifest.xml", binaryXML(a.manifest()))
	for name, content := range a.files {
		add(name, []byte(content))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if a.signer == "-" {
		return b.Bytes()
	}
	return signV2(t, b.Bytes(), keyOf(t, a.signer))
}

type testKey struct {
	private *ecdsa.PrivateKey
	cert    []byte
}

var (
	keysMu sync.Mutex
	keys   = map[string]testKey{}
)

// keyOf is a key by name, made at its first use.
func keyOf(t testing.TB, name string) testKey {
	t.Helper()
	keysMu.Lock()
	defer keysMu.Unlock()
	if k, ok := keys[name]; ok {
		return k
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test " + name}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keys[name] = testKey{private, cert}
	return keys[name]
}

// signV2 puts a signing block with APK Signature Scheme v2 into a ZIP without a comment.
func signV2(t testing.TB, apk []byte, k testKey) []byte {
	t.Helper()
	le := binary.LittleEndian
	end := len(apk) - 22
	directory := int(le.Uint32(apk[end+16:]))
	prefixed := func(parts ...[]byte) []byte {
		all := bytes.Join(parts, nil)
		return append(le.AppendUint32(nil, uint32(len(all))), all...)
	}
	var digests []byte
	count := 0
	for _, section := range [][]byte{apk[:directory], apk[directory:end], apk[end:]} {
		for len(section) > 0 {
			n := min(len(section), 1<<20)
			sum := sha256.Sum256(append(le.AppendUint32([]byte{0xa5}, uint32(n)), section[:n]...))
			digests = append(digests, sum[:]...)
			section = section[n:]
			count++
		}
	}
	top := sha256.Sum256(append(le.AppendUint32([]byte{0x5a}, uint32(count)), digests...))
	const ecdsaSHA256 = 0x0201
	algorithm := le.AppendUint32(nil, ecdsaSHA256)
	signed := bytes.Join([][]byte{prefixed(prefixed(algorithm, prefixed(top[:]))), prefixed(prefixed(k.cert)), prefixed()}, nil)
	sum := sha256.Sum256(signed)
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&k.private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	value := prefixed(prefixed(prefixed(signed), prefixed(prefixed(algorithm, prefixed(signature))), prefixed(public)))
	pair := append(le.AppendUint64(nil, uint64(4+len(value))), append(le.AppendUint32(nil, 0x7109871a), value...)...)
	size := uint64(len(pair) + 8 + 16)
	block := append(le.AppendUint64(nil, size), pair...)
	block = append(le.AppendUint64(block, size), "APK Sig Block 42"...)
	out := bytes.Join([][]byte{apk[:directory], block, apk[directory:]}, nil)
	le.PutUint32(out[end+len(block)+16:], uint32(directory+len(block)))
	return out
}

// webAPK is a web app that can be launched.
func webAPK(pkg string, permissions ...string) testAPK {
	return testAPK{pkg: pkg, entry: "www/index.html", permissions: permissions, files: map[string]string{"assets/www/index.html": "<title>" + strings.ToUpper(pkg) + "</title>"}}
}
