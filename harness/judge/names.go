package judge

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// mostNames is how many names are listed.
const mostNames = 5000

// query takes in a name that the device asked for.
func (c *inquiry) query(e evidence.Event, q *flow.Query) {
	v := c.sight.query(q)
	a := asked{host: v.host, noise: c.noise(e, q.UID), alone: c.withoutApp(e)}
	c.identified(e, &v, a)
	if !a.noise && q.Name != "" {
		c.name(e, q)
	}
}

// name counts a name.
func (c *inquiry) name(e evidence.Event, q *flow.Query) {
	name := strings.ToLower(q.Name)
	n := c.queried[name]
	if n == nil {
		if len(c.queried) >= mostNames {
			c.spots.note(fmt.Sprintf("More than %d names were asked for; the rest is searched and not listed.", mostNames), "")
			return
		}
		n = &Name{Name: name, Owner: c.owner(name), Types: []string{}, Via: []string{}, Error: q.Error, Event: e.Seq}
		c.queried[name] = n
	}
	n.Times++
	n.Types, n.Via = including(n.Types, q.Type), including(n.Via, q.Via)
	n.Refused = n.Refused || q.Refused
	if q.Error == "" {
		n.Error = ""
	}
}

// including adds s to a sorted list, unless it is empty or there.
func including(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	list = append(list, s)
	slices.Sort(list)
	return list
}

// named lists the names that were asked for.
func (c *inquiry) named() []Name {
	out := []Name{}
	for _, name := range sorted(c.queried) {
		n := *c.queried[name]
		if r, ok := c.recipients[name]; ok {
			n.Read = r.Flows > 0
		}
		out = append(out, n)
	}
	return out
}

// The longest DNS message, and how many questions of one are read: it has one.
const (
	longestDNS    = 64 << 10
	mostQuestions = 16
)

// overHTTPS takes in a question for names that was sent over HTTPS (RFC 8484). What it
// asks for was read, and is listed as other names are.
func (c *inquiry) overHTTPS(e evidence.Event, r *flow.Request, v *view) {
	message := v.data
	if r.Method == "GET" {
		u, err := url.Parse(r.URL)
		if err != nil || !u.Query().Has("dns") {
			return
		}
		message, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(u.Query().Get("dns"), "="))
		if err != nil {
			return
		}
	} else if !slices.ContainsFunc(r.Headers, func(h flow.Header) bool {
		return strings.EqualFold(h.Name, "Content-Type") && strings.HasPrefix(strings.ToLower(h.Value), knowledge.DNSMessage)
	}) {
		return
	}
	if c.questions(e, message, "doh") > 0 {
		c.spots.note(fmt.Sprintf("The app resolves names itself, over HTTPS with %s. They were read.", c.called(v.host)), "")
	}
}

// overTLS takes in the bytes of a connection to the port of DNS over TLS (RFC 7858), each
// message behind its length in two bytes.
func (c *inquiry) overTLS(e evidence.Event, data []byte) int {
	n := 0
	for len(data) >= 2 {
		size := int(data[0])<<8 | int(data[1])
		if data = data[2:]; size > len(data) {
			break
		}
		n += c.questions(e, data[:size], "dot")
		data = data[size:]
	}
	return n
}

// questions lists the names that a DNS message asks for, and says how many.
func (c *inquiry) questions(e evidence.Event, message []byte, via string) int {
	var p dnsmessage.Parser
	if len(message) > longestDNS {
		return 0
	}
	if _, err := p.Start(message); err != nil {
		return 0
	}
	n := 0
	for ; n < mostQuestions; n++ {
		q, err := p.Question()
		if err != nil {
			break
		}
		name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
		query := flow.Query{Name: name, Type: strings.TrimPrefix(q.Type.String(), "Type"), Via: via}
		if !c.repeated(name, via) {
			c.name(e, &query)
		}
	}
	return n
}

// repeated reports whether the proxy wrote the same question down by itself.
func (c *inquiry) repeated(name, via string) bool {
	n := c.queried[name]
	return n != nil && slices.Contains(n.Via, via)
}

// nameSpots says where names were asked for that nobody could read.
func (c *inquiry) nameSpots() {
	told := map[string]bool{}
	for i := range c.opaque {
		o := &c.opaque[i]
		r := &o.connection
		host := hostOf(r)
		_, resolver := c.kb.Resolvers.Of(cmp.Or(host, r.Server))
		if o.noise || told[host] || r.Port != knowledge.PortDoT && !resolver {
			continue
		}
		told[host] = true
		if r.Reason == flow.NoHTTP && r.Port == knowledge.PortDoT && c.dotRead[host] {
			c.spots.note(fmt.Sprintf("The app resolves names itself, over TLS with %s. They were read.", c.called(host)), "")
			continue
		}
		how := "over HTTPS"
		if r.Port == knowledge.PortDoT {
			how = "over TLS"
		}
		c.spots.note(fmt.Sprintf("Names may have been asked for %s with %s, which was not read.", how, c.called(host)),
			"Turn off private DNS on the device, so that names are asked for where they are seen.")
	}
}
