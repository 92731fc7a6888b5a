package probe

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/capture"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// gateway leads the browser to a device's network, which has names of its own and a
// certificate authority of its own: the capturing proxy does that already. What passes
// is not the app's, so it goes into a log that is thrown away; what a page asked for is
// noted in the browser.
type gateway struct {
	proxy *capture.Proxy
	log   *evidence.Log
	ca    *capture.CA
}

// closing bounds how long requests in flight are waited for.
const closing = 3 * time.Second

func newGateway(ctx context.Context, dir string, to emulator.Network) (*gateway, error) {
	ca, err := capture.NewCA("unasked probe")
	if err != nil {
		return nil, err
	}
	log, err := evidence.Create(filepath.Join(dir, "passed"), nil)
	if err != nil {
		return nil, fmt.Errorf("open the way to the device's network: %w", err)
	}
	proxy, err := capture.Start(ctx, capture.Options{Log: log, CA: ca, Network: to})
	if err != nil {
		return nil, fmt.Errorf("open the way to the device's network: %w", err)
	}
	return &gateway{proxy, log, ca}, nil
}

// flags make Chromium use the gateway, and trust what it signs and nothing else more.
func (g *gateway) flags() []chromedp.ExecAllocatorOption {
	sum := sha256.Sum256(g.ca.Certificate().RawSubjectPublicKeyInfo)
	return []chromedp.ExecAllocatorOption{
		chromedp.ProxyServer("http://" + g.proxy.Addr()),
		chromedp.Flag("proxy-bypass-list", "<-loopback>"),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(sum[:])),
	}
}

func (g *gateway) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	if err := g.proxy.Close(ctx); err != nil {
		return err
	}
	return g.log.Seal(evidence.Manifest{End: evidence.AuditEnd{How: evidence.Completed}})
}
