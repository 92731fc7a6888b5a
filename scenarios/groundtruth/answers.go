package groundtruth

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// feed is an app's own service behind a token: the same posts for everybody.
func feed(c *call) any {
	return c.must(c.bearer(), posts)
}

func posts() any {
	return object{"posts": []any{
		object{"id": "6f1c0d52-8a0e-4a58-9d47-0f6b2f1f7b11", "title": "Bread", "author": object{"id": "7012345678901234567", "name": "Ada"}},
		object{"id": "0b8a7c33-50b7-4c39-8d3f-3d1b0c5f2a42", "title": "Soup", "author": object{"id": "7098765432109876543", "name": "Grace"}},
	}}
}

// subject is the subject of a token that this package made.
func subject(token string) string { return claim(token, "sub") }

func claim(token, name string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims object
	if json.Unmarshal(data, &claims) != nil {
		return ""
	}
	return at(claims, name)
}
