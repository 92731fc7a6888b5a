package groundtruth

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/capture"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/judge/experiment"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// ErrNoPages is wrapped by the error of a play whose app is a page, where there is no Chromium or no npm.
var ErrNoPages = errors.New("pages need Chromium and npm")

// World plays services. Close frees its browser. Its methods are safe for concurrent use.
type World struct {
	kb    *knowledge.Base
	ca    *capture.CA
	pages func() (*browser, error) // starts it, once
	used  atomic.Bool              // pages was called
}

// New makes a world whose plays are judged with kb. The first play of a page fetches the
// SDKs and starts a browser, as [Programs] finds them; ctx bounds that.
func New(ctx context.Context, kb *knowledge.Base) (*World, error) {
	ca, err := capture.NewCA("unasked ground truth")
	if err != nil {
		return nil, err
	}
	w := &World{kb: kb, ca: ca}
	w.pages = sync.OnceValues(func() (*browser, error) {
		w.used.Store(true)
		chromium, modules, err := Programs(ctx)
		if err != nil {
			return nil, err
		}
		if chromium == "" {
			return nil, ErrNoPages
		}
		return startBrowser(ctx, chromium, modules, ca.Certificate())
	})
	return w, nil
}

// Prepare does what the first play of a page would, so that it need not wait.
func (w *World) Prepare() error {
	_, err := w.pages()
	return err
}

// Close ends the browser.
func (w *World) Close() error {
	if !w.used.Load() {
		return nil
	}
	b, err := w.pages()
	if err != nil {
		return nil // there is none
	}
	return b.close()
}

// Result is what became of a play.
type Result struct {
	Service   Service
	Found     Label // the most that the judge says was issued
	Signature string
	Hangs     string // what the judge says that a recoverable account hangs on
	Ledger    *Ledger
	Judgement *judge.Judgement
}

// run is one arm run of a play.
type run struct {
	arm    string
	repeat int
	role   experiment.Role
	change canary.Kind // of role C
	person string      // who holds the phone, or whose identifier it has instead of X's
	// launches is how often the app is started.
	launches int
}

func (r run) label() string {
	if r.repeat == 1 {
		return r.arm
	}
	return fmt.Sprintf("%s#%d", r.arm, r.repeat)
}

// runs are the arm runs for a service, in the order in which they are played. With five of B
// and two of each other, an exact test can tell a pattern from chance (p = 1/21).
func (s *Service) runs() []run {
	first := run{"A", 1, experiment.First, "", "X", 2}
	if s.Hangs == "" && !s.Compare {
		return []run{first, {"B", 1, experiment.Again, "", "X", 1}, {"D", 1, experiment.New, "", "Y1", 1}}
	}
	out := []run{first}
	for n := 1; n <= 5; n++ {
		out = append(out, run{"B", n, experiment.Again, "", "X", 1})
		if n > 2 {
			continue
		}
		out = append(out, run{"D", n, experiment.New, "", fmt.Sprintf("Y%d", n), 1})
		for _, k := range planted {
			out = append(out, run{"C-" + string(k), n, experiment.Changed, k, fmt.Sprintf("Z%d", n), 1})
		}
	}
	return out
}

// Play lets the service's app run in every arm, writes the evidence to dir, which must
// be absent or empty, and judges it. An error is a play that went wrong, or a ledger that
// tells of something else than the label.
func (w *World) Play(ctx context.Context, s Service, dir string) (Result, error) {
	res := Result{Service: s, Ledger: newLedger()}
	if err := w.record(ctx, s, res.Ledger, dir); err != nil {
		return res, fmt.Errorf("play %s: %w", s.Name, err)
	}
	if truth := res.Ledger.Truth(); truth != s.Label {
		return res, fmt.Errorf("play %s: it is labelled %s, and its ledger tells of %s", s.Name, s.Label, truth)
	}
	if kind, comes := res.Ledger.Hangs(); kind != s.Hangs || comes != (s.Hangs != "") {
		return res, fmt.Errorf("play %s: the account hangs on %q, and by the ledger on %q (it comes back: %v)", s.Name, s.Hangs, kind, comes)
	}
	bundle, err := evidence.Open(dir)
	if err != nil {
		return res, fmt.Errorf("play %s: %w", s.Name, err)
	}
	if res.Judgement, err = judge.Judge(ctx, bundle, w.kb); err != nil {
		return res, fmt.Errorf("judge %s: %w", s.Name, err)
	}
	res.Found, res.Signature, res.Hangs = found(res.Judgement)
	return res, nil
}

// found is the most that a judgement says was issued, by which signature, and what a
// recoverable account hangs on.
func found(j *judge.Judgement) (label Label, signature, hangs string) {
	label = Nothing
	for _, f := range j.Findings {
		at := Nothing
		if f.Claim == judge.AccountRecoverable {
			hangs = strings.Join(f.Experiment.HangsOn, " and ")
			if hangs == "" {
				hangs = "something"
			}
		}
		switch {
		case f.Level >= 3: // of the ladder: a principal, recoverable, an object
			at = Account
		case f.Claim == judge.SessionIssued:
			at = Session
		case f.Claim == judge.InstallationIssued:
			at = Installation
		}
		if slices.Index(Labels, at) < slices.Index(Labels, label) {
			label, signature = at, f.Signature
		}
	}
	return label, signature, hangs
}

// record plays the arms before a capture.
func (w *World) record(ctx context.Context, s Service, ledger *Ledger, dir string) (err error) {
	in, err := internet.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	routes := s.Routes(ledger)
	handler := routes.handler(ledger)
	for _, host := range routes.hosts() {
		if err := in.Handle(host, handler); err != nil {
			return err
		}
	}
	log, err := evidence.Create(dir, nil)
	if err != nil {
		return err
	}
	proxy, err := capture.Start(ctx, capture.Options{Log: log, CA: w.ca, Network: emulator.Network{Dial: in.Dial, Roots: in.Roots()}})
	if err != nil {
		return err
	}
	t := &take{kept: map[string]map[string]string{}, world: w, service: s, ledger: ledger, log: log, proxy: proxy, seed: []byte(s.Name)}
	played := t.play(ctx)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err := errors.Join(played, proxy.Close(ending)); err != nil {
		return err
	}
	return log.Seal(t.manifest)
}

// take is one play in the making.
type take struct {
	world    *World
	service  Service
	ledger   *Ledger
	log      *evidence.Log
	proxy    *capture.Proxy
	seed     []byte
	manifest evidence.Manifest
	kept     map[string]map[string]string // what a backup keeps of the app's storage, by person
	err      error
}

func (t *take) event(kind string, data any) {
	if t.err == nil {
		_, t.err = t.log.Append(kind, data)
	}
}

// in is a phase.
func (t *take) in(arm, name, purpose string, do func()) {
	t.log.Position(arm, name, evidence.Untouched)
	phase := evidence.Phase{Name: name, Purpose: purpose, Consent: evidence.Untouched}
	t.event(evidence.KindPhaseStart, phase)
	do()
	phase.Reached = t.err == nil
	t.event(evidence.KindPhaseEnd, phase)
}

func (t *take) act(verb string) { t.event(evidence.KindAction, evidence.Action{Verb: verb, OK: true}) }

// planted are the kinds of a phone's identity that its apps may read here.
var planted = []canary.Kind{canary.SSAID, canary.AdvertisingID}

func (t *take) person(label string) canary.Identity {
	id := canary.Derive(t.seed, label)
	id.Canaries = slices.DeleteFunc(id.Canaries, func(c canary.Canary) bool { return !slices.Contains(planted, c.Kind) })
	return id
}

func (t *take) play(ctx context.Context) error {
	app, files, err := t.app()
	if err != nil {
		return err
	}
	decoys := canary.Decoys(t.seed, "X")
	decoys.Canaries = slices.DeleteFunc(decoys.Canaries, func(c canary.Canary) bool { return !slices.Contains(planted, c.Kind) })
	t.manifest = evidence.Manifest{
		Tool: "unasked ground truth", Protocol: "ground truth", App: app, Identity: t.person("X"), Decoys: decoys,
		Knowledge: t.world.kb.Version(), End: evidence.AuditEnd{How: evidence.Completed},
		Device: evidence.Device{Serial: "ground-truth", Simulated: true, Model: "script", Release: "14", API: 34},
	}
	t.event(evidence.KindAuditStart, evidence.AuditStart{
		Tool: t.manifest.Tool, Protocol: t.manifest.Protocol, Seed: fmt.Sprintf("%x", t.seed),
		Knowledge: t.manifest.Knowledge, Identity: t.manifest.Identity, Decoys: decoys,
	})
	t.event(evidence.KindDevice, t.manifest.Device)
	t.event(evidence.KindApp, app)
	for _, r := range t.service.runs() {
		arm := r.label()
		t.ledger.begin(arm)
		id := t.holder(r)
		t.log.Position(arm, "", evidence.Untouched)
		t.event(evidence.KindArm, evidence.Arm{Name: r.arm, Repeat: r.repeat, Role: string(r.role), Change: string(r.change), Identity: id})
		t.in(arm, "baseline", evidence.PurposeBaseline, func() {
			for _, c := range id.Canaries {
				t.event(evidence.KindPlanting, evidence.Planting{Kind: string(c.Kind), Value: c.Value, How: "script", ReadBack: c.Value, OK: true})
			}
		})
		t.in(arm, "install", evidence.PurposeInstall, func() { t.act("install") })
		t.in(arm, "untouched", evidence.PurposeLaunch, func() {
			t.act("launch")
			if t.err == nil {
				t.err = t.launch(ctx, r, id, files)
			}
		})
		t.act("uninstall")
		if t.err != nil {
			return fmt.Errorf("arm %s: %w", arm, t.err)
		}
	}
	t.event(evidence.KindAuditEnd, t.manifest.End)
	return t.err
}

// holder is the identity on the phone in an arm run.
func (t *take) holder(r run) canary.Identity {
	if r.change == "" {
		return t.person(r.person)
	}
	id := t.person("X")
	for i, c := range id.Canaries {
		if c.Kind == r.change {
			id.Canaries[i].Value = t.person(r.person).Value(c.Kind)
		}
	}
	return id
}

// launch runs the app as newly installed, as often as the run says: it is closed and
// started again. A backup is the account's on the phone, which only a new person has not.
func (t *take) launch(ctx context.Context, r run, id canary.Identity, files map[string][]byte) error {
	if t.service.Page != "" {
		b, err := t.world.pages()
		if err != nil {
			return err
		}
		return b.run(ctx, t.proxy.Addr(), files, map[string]string{
			"ssaid": id.Value(canary.SSAID), "adid": id.Value(canary.AdvertisingID),
		}, r.launches)
	}
	pool := x509.NewCertPool()
	pool.AddCert(t.world.ca.Certificate())
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: t.proxy.Addr()}),
		TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	storage := map[string]string{}
	if t.service.Backup {
		maps.Copy(storage, t.kept[id.Label])
	}
	for range r.launches {
		p := &Phone{
			SSAID: id.Value(canary.SSAID), AdvertisingID: id.Value(canary.AdvertisingID),
			Config: t.service.Config, Storage: storage, ctx: ctx,
			client: &http.Client{Transport: transport, Jar: jar, Timeout: 20 * time.Second},
		}
		if t.service.App(p); p.Err != nil {
			return p.Err
		}
	}
	t.kept[id.Label] = storage
	return nil
}

// app is what the evidence says of the app, with its APK, and the APK's files.
func (t *take) app() (evidence.App, map[string][]byte, error) {
	files := map[string][]byte{"assets/config.json": encode(t.service.Config)}
	if t.service.Page != "" {
		b, err := t.world.pages()
		if err != nil {
			return evidence.App{}, nil, err
		}
		script, err := b.bundle(t.service.Page)
		if err != nil {
			return evidence.App{}, nil, err
		}
		files["assets/app.js"] = script
	}
	var apk bytes.Buffer
	z := zip.NewWriter(&apk)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := z.Create(name)
		if err != nil {
			return evidence.App{}, nil, err
		}
		if _, err := f.Write(files[name]); err != nil {
			return evidence.App{}, nil, err
		}
	}
	if err := z.Close(); err != nil {
		return evidence.App{}, nil, err
	}
	blob, size, err := t.log.PutBlob(bytes.NewReader(apk.Bytes()))
	if err != nil {
		return evidence.App{}, nil, err
	}
	return evidence.App{
		Package: "org.example.groundtruth", Label: t.service.Name, VersionCode: 1, Permissions: []string{"android.permission.INTERNET"},
		Files: []evidence.File{{Name: "base.apk", Blob: blob, Size: size}},
	}, files, nil
}
