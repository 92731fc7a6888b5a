package knowledge

import "testing"

func TestEmbedded(t *testing.T) {
	b, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(b.Version())
	for _, s := range []string{"Accept all", "Do not accept", "Nicht zustimmen", "Zustimmen", "Accept only necessary", "No, I don't agree"} {
		l, p, ok := b.Words.Match(RoleAccept, s)
		l2, p2, ok2 := b.Words.Match(RoleReject, s)
		t.Log(s, l, p, ok, l2, p2, ok2)
	}
}
