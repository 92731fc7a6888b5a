package judge

import (
	"archive/zip"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/unasked-audit/unasked/harness/apk"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// TestEmbeddedSDKs joins what an app carries with whom it talked to.
func TestEmbeddedSDKs(t *testing.T) {
	base, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	kb, err := base.Carried()
	if err != nil {
		t.Fatal(err)
	}
	carries := func(ids ...string) []apk.SDK {
		var out []apk.SDK
		for _, id := range ids {
			s, ok := kb.SDKs.ByID(id)
			if !ok {
				t.Fatalf("no SDK %s", id)
			}
			out = append(out, apk.SDK{ID: s.ID, Name: s.Name, Owner: s.Owner, Ultimate: s.Ultimate, Matched: []apk.Match{{Kind: "class", Where: "a.B"}}})
		}
		return out
	}
	got := joinSDKs(carries("umeng", "bugly", "facebook-login", "facebook-share", "igexin"), &kb.SDKs,
		[]string{"ulogs.umeng.com", "graph.facebook.com", "notumeng.com", "app.adjust.com", "qq.com"}, []string{"sdk-open-phone.getui.com", "ulogs.umeng.com"})
	talked := map[string][]Talked{}
	for _, s := range got {
		talked[s.ID] = s.Talked
	}
	want := map[string][]Talked{
		"umeng":          {{Host: "ulogs.umeng.com", Read: true}},
		"bugly":          {}, // qq.com is Tencent's, and not Bugly's
		"facebook-login": {{Host: "graph.facebook.com", Read: true, Shared: true}},
		"facebook-share": {{Host: "graph.facebook.com", Read: true, Shared: true}},
		"igexin":         {{Host: "sdk-open-phone.getui.com"}}, // a connection that nobody could read
	}
	if diff := cmp.Diff(want, talked); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got[0].Owner != "Umeng (Alibaba)" || got[0].Marks[0] != "class a.B" {
		t.Errorf("%+v", got[0])
	}
	if got := joinSDKs(nil, &kb.SDKs, []string{"ulogs.umeng.com"}, nil); len(got) != 0 {
		t.Errorf("a host alone puts %+v into an app", got)
	}
}

// TestEmbeddedSDKsInEvidence: the app's own file in the evidence is what is read.
func TestEmbeddedSDKsInEvidence(t *testing.T) {
	talk := func(r *recording) {
		r.rejected()
		r.ask(message{url: "https://sdk-open-phone.getui.com/api.php?format=json"}, map[string]any{})
	}
	z, err := zip.OpenReader("../../emulator/virtual/apps/pantry.apk")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	manifest, err := fs.ReadFile(z, "AndroidManifest.xml")
	if err != nil {
		t.Fatal(err)
	}
	r := innocent(t)
	r.apk(map[string]string{"AndroidManifest.xml": string(manifest), "lib/arm64-v8a/libgetuiext3.so": "\x7fELF", "lib/arm64-v8a/libgetuiext33.so": "\x7fELF", "assets/readme.txt": "libBugly.so"})
	talk(r)
	j := r.judge()
	want := []EmbeddedSDK{{
		ID: "igexin", Name: "Getui push (Igexin)", Owner: "Merit Interactive (Getui)", Country: "CN", Purpose: []string{"push", "analytics", "code-loading"},
		Marks: []string{"library lib/arm64-v8a/libgetuiext3.so"}, Talked: []Talked{{Host: "sdk-open-phone.getui.com", Read: true}},
	}}
	if diff := cmp.Diff(want, j.SDKs); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// The host alone puts no code into the app.
	r = innocent(t)
	r.apk(map[string]string{"AndroidManifest.xml": string(manifest), "assets/readme.txt": "hello"})
	talk(r)
	if j := r.judge(); j.SDKs != nil {
		t.Errorf("%+v", j.SDKs)
	}
}
