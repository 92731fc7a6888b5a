package knowledge

import "testing"

func TestResolvers(t *testing.T) {
	b := embeddedBase(t)
	for host, want := range map[string]string{
		"dns.google":                 "Google Public DNS",
		"8.8.8.8":                    "Google Public DNS",
		"[2001:4860:4860::8888]":     "Google Public DNS",
		"Mozilla.Cloudflare-DNS.com": "Cloudflare DNS",
		"google.com":                 "",
		"notcloudflare-dns.com":      "",
		"8.8.8.80":                   "",
		"8.8.8":                      "",
	} {
		got := ""
		if r, ok := b.Resolvers.Of(host); ok {
			got = r.Name
		}
		if got != want {
			t.Errorf("%s is %q, want %q", host, got, want)
		}
	}
}
