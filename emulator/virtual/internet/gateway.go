package internet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// Gateway lets a browser that has no proxy reach an internet's origins by name:
// every service has a port on the host's loopback, and Rules tells Chromium
// which name and port leads to which. It counts its bytes, so one gateway for
// each app gives each app's traffic.
type Gateway struct {
	rules  []string
	relays []*Relay
}

// Gateway opens a gateway to the services that exist now.
func (in *Internet) Gateway() (*Gateway, error) {
	g := &Gateway{}
	eps := in.Endpoints()
	for i, e := range eps {
		r, err := NewRelay(func(context.Context) (net.Conn, error) {
			return in.enter(e)
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("gateway to %s:%d: %w", e.Host, e.Port, err), g.Close())
		}
		g.relays = append(g.relays, r)
		g.rules = append(g.rules, fmt.Sprintf("MAP %s:%d %s", e.Host, e.Port, r.Addr()))
		if i+1 == len(eps) || eps[i+1].Host != e.Host {
			// A name's other ports must not fall through to a wildcard's.
			g.rules = append(g.rules, "MAP "+e.Host+" ~NOTFOUND")
		}
	}
	return g, nil
}

// enter connects to a service by what it was registered as.
func (in *Internet) enter(e Endpoint) (net.Conn, error) {
	in.mu.RLock()
	s := in.sites[e.Host]
	in.mu.RUnlock()
	ep := in.port(s, e.Port)
	c, err := in.connect(ep, strings.Replace(e.Host, "*.", "www.", 1))
	in.recorder.dialled(fmt.Sprintf("%s:%d", e.Host, e.Port), err)
	return c, err
}

// Rules is the value for Chromium's --host-resolver-rules. Whatever is no
// service of the internet, addresses included, is not found.
func (g *Gateway) Rules() string {
	return strings.Join(append(g.rules[:len(g.rules):len(g.rules)], "MAP * ~NOTFOUND"), ",")
}

// Addrs is the loopback address of each service, as Rules names them.
func (g *Gateway) Addrs() []string {
	var out []string
	for _, r := range g.relays {
		out = append(out, r.Addr())
	}
	return out
}

// Traffic is the bytes that went through the gateway, as its client sees them.
func (g *Gateway) Traffic() (sent, received uint64) {
	for _, r := range g.relays {
		s, c := r.Traffic()
		sent += s
		received += c
	}
	return sent, received
}

// Close ends the gateway and its connections, and waits for them.
func (g *Gateway) Close() error {
	var errs []error
	for _, r := range g.relays {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}
