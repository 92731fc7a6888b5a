package apk

import (
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/internal/apkfile"
)

// Backup is whether Android may keep the app's data and bring them back after a reinstall
// or onto another device (developer.android.com, "Back up user data with Auto Backup").
type Backup struct {
	Allowed   bool   `json:"allowed"`
	AllowedBy string `json:"allowedBy"` // manifest or default
	// FullBackupContent and DataExtraction are paths of the rules up to Android 11, and from 12
	// on; FullBackupContent may be "true" or "false".
	FullBackupContent string       `json:"fullBackupContent,omitempty"`
	DataExtraction    string       `json:"dataExtractionRules,omitempty"`
	Rules             []BackupRule `json:"rules"`
}

// BackupRule is one line of the rules.
type BackupRule struct {
	For    string `json:"for"`    // full-backup, cloud-backup or device-transfer
	Rule   string `json:"rule"`   // include or exclude
	Domain string `json:"domain"` // root, file, database, sharedpref, external, ...
	Path   string `json:"path"`
}

func (d *Description) backup(f *apkfile.File) {
	m := f.Manifest()
	b := &d.Backup
	*b = Backup{Allowed: m.AllowBackup, AllowedBy: "default", FullBackupContent: m.FullBackupContent, DataExtraction: m.DataExtraction, Rules: []BackupRule{}}
	if m.AllowBackupSaid {
		b.AllowedBy = "manifest"
	}
	rules := func(name string) *apkfile.Element {
		if name == "" || name == "true" || name == "false" || strings.HasPrefix(name, "@") {
			return nil
		}
		root, err := f.XML(name)
		if err != nil {
			d.Problems = append(d.Problems, fmt.Sprintf("backup rules can't be read: %v", err))
			return nil
		}
		return root
	}
	if root := rules(m.FullBackupContent); root != nil {
		b.add(f, "full-backup", root)
	}
	if root := rules(m.DataExtraction); root != nil {
		for _, c := range root.Children {
			b.add(f, c.Name, c)
		}
	}
}

func (b *Backup) add(f *apkfile.File, kind string, el *apkfile.Element) {
	for _, c := range el.Children {
		if c.Name != "include" && c.Name != "exclude" {
			continue
		}
		domain, _ := f.Value(c, 0, "domain")
		path, _ := f.Value(c, 0, "path")
		b.Rules = append(b.Rules, BackupRule{kind, c.Name, domain, path})
	}
}
