package virtual

import (
	"context"
	"crypto/md5" // the name of a certificate's file is an MD5, whatever one thinks of it
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"crypto/x509"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/loopback"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/webview"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

// build is what a machine is made of. Two machines of one build are born alike.
type build struct {
	api      int
	locale   string
	internet *internet.Internet
	chromium string
	dir      string // each machine has a folder in it
	storage  int64
	seed     [32]byte // the device's identifiers follow from it
}

// machine is one device from its first boot to its end: file tree, shell,
// framework and the device's own loopback.
type machine struct {
	dir      string
	tree     *rootfs.FS
	shell    *shell.Shell
	loopback *loopback.Table
	system   *android.System
}

// newMachine boots a machine in a folder of its own.
func newMachine(b build) (_ *machine, err error) {
	m := &machine{loopback: loopback.New()}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close(context.Background()))
		}
	}()
	if m.dir, err = os.MkdirTemp(b.dir, "machine-"); err != nil {
		return nil, err
	}
	if m.tree, err = rootfs.New(filepath.Join(m.dir, "files")); err != nil {
		return nil, err
	}
	m.shell = shell.New(m.tree)
	release, err := android.ReleaseOf(b.api)
	if err != nil {
		return nil, err
	}
	if err := trust(m.tree, b.internet.CAPEM()); err != nil {
		return nil, err
	}
	var system *android.System
	m.system, err = android.New(android.Options{
		API: release.API, FS: m.tree, Shell: m.shell, Loopback: m.loopback, Storage: b.storage,
		Random: rand.NewChaCha8(b.seed),
		Runtime: webview.New(webview.Options{Chromium: b.chromium, Internet: b.internet, Console: func(line webview.Message) {
			system.Console(line.PID, line.Package, line.Level, line.Text, line.Source, line.Line)
		}}),
	})
	if err != nil {
		return nil, err
	}
	system = m.system
	if b.locale != "" {
		m.system.SetProperty("persist.sys.locale", b.locale)
	}
	m.shell.SetRelease(shell.Release{Hostname: m.system.Property("ro.product.device"), Kernel: "0.0.0-unasked-simulated", Machine: "x86_64", Version: "#1 unasked's embedded device"})
	return m, nil
}

// close stops all that runs on the machine and removes its files.
func (m *machine) close(ctx context.Context) error {
	var errs []error
	if m.system != nil {
		errs = append(errs, m.system.Close(ctx))
	}
	if m.tree != nil {
		errs = append(errs, m.tree.Close())
	}
	if m.dir != "" {
		errs = append(errs, os.RemoveAll(m.dir))
	}
	return errors.Join(errs...)
}

// unmount takes away what was mounted since boot, as a reboot does.
func (m *machine) unmount() {
	view := m.tree.Image()
	mounts := m.tree.Mounts()
	for i := len(mounts) - 1; i >= 0; i-- {
		_ = view.Unmount(mounts[i].Point) // Android's own mounts stay
	}
}

// trust puts an authority's certificate into the stores of certificates that a
// system image has: that of /system, and that of the conscrypt module.
func trust(tree *rootfs.FS, certificate []byte) error {
	name, err := storeName(certificate)
	if err != nil {
		return err
	}
	view := tree.Image()
	for _, dir := range []string{"/system/etc/security/cacerts", "/apex/com.android.conscrypt/cacerts"} {
		if err := view.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := view.WriteFile(dir+"/"+name, certificate, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// storeName is a certificate's file name in Android's stores: OpenSSL's old
// hash of the subject, the first four bytes of its MD5 read backwards.
func storeName(certificate []byte) (string, error) {
	block, _ := pem.Decode(certificate)
	if block == nil {
		return "", errors.New("the internet's certificate authority is no PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("the internet's certificate authority: %w", err)
	}
	sum := md5.Sum(cert.RawSubject)
	return fmt.Sprintf("%08x.0", binary.LittleEndian.Uint32(sum[:])), nil
}
