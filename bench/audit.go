package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/unasked-audit/unasked/harness/protocol"
)

// auditCost is the most that an audit may take besides what its protocol waits, in
// percent of that.
const auditCost = 10

// watching is the protocol of the measurement: that of a first look, with phases as
// long as an app's own batches take.
const watching = `name: bench
title: untouched, then rejected; one run
purpose: >
  Measures what an audit takes besides what it waits.
repeats: 1
permissions: granted
coverage: 80%
arms:
  - name: A
    phases:
      - {name: baseline, act: watch-without-app, lasts: 10s}
      - {name: install, act: install, lasts: 5s}
      - {name: untouched, act: launch, lasts: 60s}
      - {name: rejected, act: reject, lasts: 30s}
`

// measureAudit runs an audit on the embedded device and takes off what the protocol waits.
func measureAudit(ctx context.Context, l *lab) error {
	program, err := l.program(ctx)
	if err != nil {
		return err
	}
	plan := "quick"
	if !l.quick {
		plan = filepath.Join(l.dir, "bench.yaml")
		if err := os.WriteFile(plan, []byte(watching), 0o600); err != nil {
			return err
		}
	}
	p, err := protocol.Load(plan)
	if err != nil {
		return err
	}
	app := filepath.Join(l.root, "emulator/virtual/apps/pantry.apk")
	cmd := exec.CommandContext(ctx, program, "audit", app, "--virtual", "--quiet", "--protocol", plan, "--out", filepath.Join(l.dir, "audit"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err = cmd.Run()
	took := time.Since(began)
	// 1 and 2 are verdicts on the app.
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 2) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("unasked audit: %w: %s", err, out.Bytes())
	}
	l.table.most(fmt.Sprintf("audit, time besides the %v that the protocol waits", p.Lasts()), "%", 100*(took-p.Lasts()).Seconds()/p.Lasts().Seconds(), auditCost)
	return nil
}
