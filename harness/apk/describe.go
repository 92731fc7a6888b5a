package apk

import (
	"cmp"
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// Describe reads all that the app's files say, verifies its signatures and names what it
// carries. A part that is broken is told in Problems; the error is one of reading, or the context's.
func (a *App) Describe(ctx context.Context, kb *knowledge.Carried) (*Description, error) {
	base := a.parts[0].f
	m := base.Manifest()
	d := &Description{
		Format: a.Format, Package: m.Package, VersionCode: m.VersionCode, VersionName: m.VersionName,
		MinSDK: m.MinSDK, TargetSDK: m.TargetSDK, CompileSDK: m.CompileSDK, Label: m.Label, Labels: map[string]string{},
		Application: m.Application, Debuggable: m.Debuggable, TestOnly: m.TestOnly,
		Declared: []DeclaredPermission{}, Features: []Feature{}, UsesLibrary: list(m.Libraries), Queries: list(m.Queries), Locales: []string{},
		MetaData: map[string]string{}, Components: []Component{}, Permissions: []Permission{},
		Signers: []Signer{}, Schemes: []string{}, Signatures: []Signature{}, Stamps: []string{},
		ABIs: []string{}, Libraries: []Library{}, DEX: []DEX{}, Oddities: []string{}, Problems: list(a.notes),
	}
	if a.Wrapper.Name != "" {
		d.Wrapper = &a.Wrapper
	}
	if l, ok := m.Launcher(); ok {
		d.Launcher = l.Name
	}
	for _, p := range a.parts {
		d.Files = append(d.Files, p.File)
		d.manifest(p, kb)
		d.labels(p, m.LabelID)
	}
	if d.Label != "" {
		d.Labels["default"] = d.Label
	}
	d.network(base)
	d.backup(base)
	// Bytecode first: a JAR signature's digests of it are then known.
	if err := d.contents(ctx, a.parts, kb); err != nil {
		return nil, err
	}
	if err := d.sign(ctx, a.parts, a.Format == "aab"); err != nil {
		return nil, err
	}
	d.HasCode = m.HasCode && len(d.DEX) > 0 || len(d.ABIs) > 0
	for _, p := range a.parts {
		for _, o := range p.f.Oddities() {
			d.Oddities = append(d.Oddities, p.Name+": "+o)
		}
	}
	return d, nil
}

// list is never nil.
func list(s []string) []string { return append([]string{}, s...) }

// problem notes what could not be read.
func (d *Description) problem(p *part, err error) {
	if s := p.Name + ": " + err.Error(); !slices.Contains(d.Problems, s) {
		d.Problems = append(d.Problems, s)
	}
}

// labels adds the translations of the app's name that a part holds.
func (d *Description) labels(p *part, id uint32) {
	locales, err := p.f.Locales()
	if err != nil {
		d.problem(p, err)
		return
	}
	for _, tag := range locales {
		if !slices.Contains(d.Locales, tag) {
			d.Locales = append(d.Locales, tag)
		}
	}
	slices.Sort(d.Locales)
	if id == 0 {
		return
	}
	labels, err := p.f.Labels(id)
	if err != nil {
		d.problem(p, err)
		return
	}
	for tag, text := range labels {
		if _, has := d.Labels[tag]; tag != "" && !has {
			d.Labels[tag] = text
		}
	}
}

// manifest adds what the manifest of one part says.
func (d *Description) manifest(p *part, kb *knowledge.Carried) {
	m := p.f.Manifest()
	for _, o := range m.Declared {
		level, flags := levelOf(o.Level)
		d.Declared = append(d.Declared, DeclaredPermission{Name: o.Name, Level: level, Flags: flags, Group: o.Group})
	}
	for _, name := range m.Permissions {
		if slices.ContainsFunc(d.Permissions, func(o Permission) bool { return o.Name == name }) {
			continue
		}
		out := Permission{Name: name, Level: "unknown", MaxSDK: m.PermissionMaxSDK[name]}
		if l, ok := kb.Permissions.Of(name); ok {
			out.Level, out.Flags = l.Level, l.Flags
		} else if i := slices.IndexFunc(d.Declared, func(o DeclaredPermission) bool { return o.Name == name }); i >= 0 {
			out.Level, out.Flags = d.Declared[i].Level, d.Declared[i].Flags
		}
		d.Permissions = append(d.Permissions, out)
	}
	for _, f := range m.Features {
		if one := (Feature{f.Name, f.Required}); !slices.Contains(d.Features, one) {
			d.Features = append(d.Features, one)
		}
	}
	for name, value := range m.MetaData {
		if _, has := d.MetaData[name]; !has {
			d.MetaData[name] = value
		}
	}
	for _, components := range [][]apkfile.Component{m.Activities, m.Services, m.Receivers, m.Providers} {
		for _, c := range components {
			d.Components = append(d.Components, component(c, p.Split))
		}
	}
}

// flagNames are the flags of PermissionInfo.protectionLevel from 0x10 on, in AOSP's words.
var flagNames = []string{"privileged", "development", "appop", "pre23", "installer", "verifier", "preinstalled", "setup", "instant", "runtime",
	"oem", "vendorPrivileged", "textClassifier", "wellbeing", "documenter", "configurator", "incidentReportApprover", "appPredictor"}

// levelOf puts a protection level into words.
func levelOf(level uint32) (string, []string) {
	var flags []string
	for i, name := range flagNames {
		if level&(0x10<<i) != 0 {
			flags = append(flags, name)
		}
	}
	switch level & 0xf {
	case 0:
		return "normal", flags
	case 1:
		return "dangerous", flags
	case 2:
		return "signature", flags
	case 3: // signatureOrSystem, the old form of what follows
		if !slices.Contains(flags, "privileged") {
			flags = append([]string{"privileged"}, flags...)
		}
		return "signature", flags
	case 4:
		return "internal", flags
	}
	return "unknown", flags
}

func component(c apkfile.Component, split string) Component {
	out := Component{
		Kind: c.Kind, Name: c.Name, Split: split, Target: c.Target, Enabled: c.Enabled, Exported: c.Exported, ExportedBy: "default",
		Permission: c.Permission, ReadPermission: c.ReadPermission, WritePermission: c.WritePermission, GrantURI: c.GrantURI,
		Process: c.Process, Authorities: c.Authorities, Actions: c.Actions, Categories: c.Categories,
	}
	switch {
	case c.ExportedSaid:
		out.ExportedBy = "manifest"
	case len(c.Filters) > 0:
		out.ExportedBy = "intent-filter"
	}
	for _, f := range c.Filters {
		if len(f.Schemes) == 0 || !slices.Contains(f.Actions, "android.intent.action.VIEW") || !slices.Contains(f.Categories, "android.intent.category.BROWSABLE") {
			continue
		}
		link := DeepLink{Schemes: unique(f.Schemes), Hosts: unique(f.Hosts), Ports: unique(f.Ports), AutoVerify: f.AutoVerify}
		for _, p := range f.Paths {
			link.Paths = append(link.Paths, Path{p.Kind, p.Value})
		}
		out.DeepLinks = append(out.DeepLinks, link)
	}
	return out
}

func unique(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// contents reads native libraries and bytecode, and names what they belong to.
func (d *Description) contents(ctx context.Context, parts []*part, kb *knowledge.Carried) error {
	sdks, frameworks := newFinder(&kb.SDKs.Marks), newFinder(&kb.Frameworks.Marks)
	abis := map[string]bool{}
	for _, p := range parts {
		for _, f := range []*finder{sdks, frameworks} {
			f.manifest(p.f.Manifest())
		}
		for _, name := range p.f.Names() {
			if err := ctx.Err(); err != nil {
				return err
			}
			sdks.file(name)
			frameworks.file(name)
			if !strings.HasSuffix(name, ".so") {
				continue
			}
			l, err := p.f.Library(name)
			if err != nil {
				d.problem(p, err)
				continue
			}
			d.Libraries = append(d.Libraries, Library{Name: name, File: p.Name, ABI: l.ABI, Machine: l.Machine, BuildID: l.BuildID, Size: l.Size})
			if l.ABI != "" {
				abis[l.ABI] = true
			}
		}
		for _, name := range p.f.DexNames() {
			if err := ctx.Err(); err != nil {
				return err
			}
			d.DEX = append(d.DEX, bytecode(p, name, sdks, frameworks))
		}
	}
	d.ABIs = slices.AppendSeq(d.ABIs, maps.Keys(abis))
	slices.Sort(d.ABIs)
	d.SDKs, d.Frameworks = sdksOf(sdks, kb), []Carried{}
	frameworks.found(func(i int, matched []Match) {
		f := kb.Frameworks.List[i]
		d.Frameworks = append(d.Frameworks, Carried{ID: f.ID, Name: f.Name, Matched: matched})
	})
	slices.SortFunc(d.Frameworks, func(x, y Carried) int { return cmp.Compare(x.ID, y.ID) })
	return nil
}

// bytecode reads one file of bytecode, which is held in memory meanwhile.
func bytecode(p *part, name string, finders ...*finder) DEX {
	out := DEX{Name: name, File: p.Name}
	x, err := p.f.Dex(name)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Version, out.SHA256 = x.Version, evidence.Digest(hex.EncodeToString(x.SHA256[:]))
	out.Classes, out.Strings, out.Types, out.Methods, out.Fields = x.Counts()
	for c := range x.Classes() {
		for _, f := range finders {
			f.class(c)
		}
	}
	for s := range x.Strings() {
		for _, f := range finders {
			f.text(s)
		}
	}
	out.Broken = x.Broken()
	return out
}
