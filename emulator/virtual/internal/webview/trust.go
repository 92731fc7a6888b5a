package webview

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// ErrNoCertutil is wrapped by the error of a start without the tool that makes
// Chromium's trust store.
var ErrNoCertutil = errors.New("certutil is not installed, without which an app cannot trust the device's certificate authorities: sudo apt-get install libnss3-tools")

// stores makes the NSS databases that Chromium reads its certificate
// authorities from. Making one takes longer than all else that a start does,
// so each is made once for the same set of certificates.
type stores struct {
	mu   sync.Mutex
	made map[[sha256.Size]byte]map[string][]byte // file name to content
}

// write puts a database that trusts exactly these PEM certificates as web
// authorities into home, where Chromium looks for it.
func (s *stores) write(ctx context.Context, home string, authorities [][]byte) error {
	files, err := s.files(ctx, authorities)
	if err != nil {
		return err
	}
	dir := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the app's trust store: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fmt.Errorf("write the app's trust store: %w", err)
		}
	}
	return nil
}

func (s *stores) files(ctx context.Context, authorities [][]byte) (map[string][]byte, error) {
	certs := certificates(authorities)
	sum := sha256.Sum256(bytes.Join(certs, nil))
	s.mu.Lock()
	defer s.mu.Unlock()
	if files := s.made[sum]; files != nil {
		return files, nil
	}
	files, err := makeStore(ctx, certs)
	if err != nil {
		return nil, err
	}
	if s.made == nil {
		s.made = map[[sha256.Size]byte]map[string][]byte{}
	}
	s.made[sum] = files
	return files, nil
}

// certificates takes every certificate out of PEM files, once and in a fixed
// order. A file that holds none is passed over, as Android passes it over.
func certificates(files [][]byte) [][]byte {
	var out [][]byte
	for _, rest := range files {
		for {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if block.Type == "CERTIFICATE" {
				out = append(out, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
			}
		}
	}
	slices.SortFunc(out, bytes.Compare)
	return slices.CompactFunc(out, bytes.Equal)
}

// makeStore makes a database in a folder of its own and returns its files.
func makeStore(ctx context.Context, certs [][]byte) (map[string][]byte, error) {
	certutil, err := exec.LookPath("certutil")
	if err != nil {
		return nil, ErrNoCertutil
	}
	dir, err := os.MkdirTemp("", "unasked-trust-")
	if err != nil {
		return nil, fmt.Errorf("make a trust store: %w", err)
	}
	defer os.RemoveAll(dir)
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, certutil, append([]string{"-d", "sql:" + dir}, args...)...)
		cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("make a trust store: certutil %s: %w: %s", args[0], err, bytes.TrimSpace(out))
		}
		return nil
	}
	if err := run("-N", "--empty-password"); err != nil {
		return nil, err
	}
	var batch strings.Builder
	for i, c := range certs {
		file := filepath.Join(dir, fmt.Sprintf("%d.pem", i))
		if err := os.WriteFile(file, c, 0o600); err != nil {
			return nil, fmt.Errorf("make a trust store: %w", err)
		}
		fmt.Fprintf(&batch, "-A -t C,, -n device-%d -i %s\n", i, file)
	}
	if len(certs) > 0 {
		list := filepath.Join(dir, "batch")
		if err := os.WriteFile(list, []byte(batch.String()), 0o600); err != nil {
			return nil, fmt.Errorf("make a trust store: %w", err)
		}
		if err := run("-B", "-i", list); err != nil {
			return nil, err
		}
	}
	files := map[string][]byte{}
	for _, name := range []string{"cert9.db", "key4.db", "pkcs11.txt"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("make a trust store: %w", err)
		}
		files[name] = content
	}
	return files, nil
}
