package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/har"
	"github.com/unasked-audit/unasked/harness/pcapng"
)

func exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the traffic of evidence for other programs",
		Long: `Write the traffic in a bundle in a format that other programs open: har for browsers
and proxies, pcapng for Wireshark.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(exportHARCommand(), exportPcapngCommand())
	return cmd
}

func exportHARCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "har BUNDLE",
		Short: "Write all flows as HAR 1.2",
		Long: `Write all flows of a bundle as HAR 1.2, which browsers' developer tools, proxies and
test tools open. Connections that could not be read are entries too. What HAR has no
place for (phase, consent state, uid, certificates, sizes, reasons) is in _unasked;
docs/export.md describes it. The evidence is checked while it is read.`,
		Example: "  unasked export har audits/today -o traffic.har",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			bundle, err := openBundle(args[0])
			if err != nil {
				return err
			}
			return writeTo(cmd, out, func(w io.Writer) error { return har.Write(cmd.Context(), w, bundle, tool()) })
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "the file to write; - for the standard output")
	return cmd
}

func exportPcapngCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "pcapng BUNDLE",
		Short: "Write the connections as a packet capture, with the TLS secrets in it",
		Long: `Write the connections between device and proxy, byte for byte, as a packet capture
that Wireshark opens and shows in the clear: the TLS secrets are in it. The proxy saw
streams and no packets, so the headers of IP and TCP are rebuilt; the file says so.

Where the evidence holds the device's own capture, that is written beside the file, as
NAME-device-1.pcap.

Whoever has the file can read all that passed: keep it as you keep the evidence.`,
		Example: "  unasked export pcapng audits/today -o traffic.pcapng",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return runExportPcapng(cmd, args[0], out) },
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "the file to write; - for the standard output")
	return cmd
}

func runExportPcapng(cmd *cobra.Command, dir, out string) error {
	bundle, err := openBundle(dir)
	if err != nil {
		return err
	}
	var res pcapng.Result
	err = writeTo(cmd, out, func(w io.Writer) (err error) {
		res, err = pcapng.Write(cmd.Context(), w, bundle, tool())
		return err
	})
	if err != nil {
		return err
	}
	errs := cmd.ErrOrStderr()
	fmt.Fprintf(errs, "%d connections, %d packets; the headers of IP and TCP are rebuilt.\n", res.Connections, res.Packets)
	if res.Missing > 0 {
		fmt.Fprintf(errs, "The bytes of %d more connections are not in the evidence.\n", res.Missing)
	}
	return exportDevice(cmd.Context(), errs, bundle, out)
}

// exportDevice writes the device's own captures beside the file.
func exportDevice(ctx context.Context, errs io.Writer, bundle *evidence.Bundle, out string) error {
	n := 0
	for x, err := range pcapng.Exhibits(ctx, bundle) {
		if err != nil {
			return err
		}
		if n++; out == "-" {
			continue
		}
		path := fmt.Sprintf("%s-device-%d.pcap", strings.TrimSuffix(out, filepath.Ext(out)), n)
		blob, err := bundle.Blob(x.Blob)
		if err != nil {
			return err
		}
		err = writeFile(path, func(w io.Writer) error {
			_, err := io.Copy(w, blob)
			return err
		})
		if err := errors.Join(err, blob.Close()); err != nil {
			return err
		}
		fmt.Fprintf(errs, "The device's own capture: %s\n", path)
	}
	if n > 0 && out == "-" {
		fmt.Fprintln(errs, "The evidence holds the device's own capture too; --out FILE writes it beside the file.")
	}
	return nil
}

// openBundle opens a bundle, or says how to seal it.
func openBundle(dir string) (*evidence.Bundle, error) {
	bundle, err := evidence.Open(dir)
	if errors.Is(err, evidence.ErrUnsealed) {
		err = fmt.Errorf("%w; `unasked seal %s` seals it as interrupted", err, dir)
	}
	return bundle, err
}

// writeTo writes to a file, or to the standard output for -.
func writeTo(cmd *cobra.Command, path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(cmd.OutOrStdout())
	}
	if err := writeFile(path, write); err != nil {
		return err
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), path)
	return err
}

// writeFile writes a file, whole or not at all, that only its owner can read.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // fails once it was renamed, as it should
	b := bufio.NewWriterSize(f, 256<<10)
	if err := errors.Join(write(b), b.Flush()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
