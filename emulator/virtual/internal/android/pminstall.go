package android

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// installFlags reads the options of an installation.
func installFlags(args *argv) (o installOptions, size int64, err error) {
	size = -1
	for {
		opt, ok := args.option()
		if !ok {
			return o, size, nil
		}
		switch opt {
		case "-r", "-f", "-l", "--full", "--force-sdk", "--no-streaming", "--streaming", "--fastdeploy", "--incremental", "--no-incremental", "--dont-kill", "--skip-verification", "--restrict-permissions", "--wait":
		case "-R":
			o.noReplace = true
		case "-t":
			o.testOnly = true
		case "-d", "--allow-downgrade":
			o.downgrade = true
		case "-g", "--grant-all-requested-permissions":
			o.grantAll = true
		case "--bypass-low-target-sdk-block":
			o.lowTarget = true
		case "-i":
			o.installer, err = args.required(opt)
		case "-S":
			size, err = args.number(opt)
			if err == nil && size <= 0 {
				err = illegalArgument("Invalid session size: %d", size)
			}
		case "-p":
			o.inherit, err = args.required(opt)
		case "--user", "--install-reason", "--install-location", "--pkg", "--abi", "--originating-uri", "--referrer", "--package-source", "--update-ownership":
			if opt != "--update-ownership" {
				_, err = args.required(opt)
			}
		default:
			err = illegalArgument("Unknown option %s", opt)
		}
		if err != nil {
			return o, size, err
		}
	}
}

// pmInstall is "pm install [-S SIZE] [PATH]".
func (s *System) pmInstall(ctx context.Context, c *shell.Call, args *argv) int {
	o, size, err := installFlags(args)
	if err != nil {
		return thrown(c, "install", err)
	}
	if o.inherit != "" {
		return c.Errorf("unasked's embedded device does not model installing beside what is there (-p): give all of the app's APKs at once")
	}
	files := args.rest()
	if len(files) == 0 && size < 0 {
		fmt.Fprint(c.Stderr, "Error: must either specify a package size or an APK file\n")
		return 1
	}
	ses, err := s.openSession(o)
	if err != nil {
		return thrown(c, "install", err)
	}
	if size >= 0 {
		_, err = s.writeSession(ses, "base.apk", c.Stdin, size)
	}
	for i, f := range files {
		if err == nil && size < 0 {
			err = s.stagePath(ctx, c, ses, i, f)
		}
	}
	if err != nil {
		_ = s.abandon(ses)
		return s.installed(c, err)
	}
	return s.installed(c, s.commit(ctx, ses))
}

// stagePath copies an APK that is on the device into a session.
func (s *System) stagePath(_ context.Context, c *shell.Call, ses *session, i int, name string) error {
	f, err := c.FS.Open(c.Path(name))
	if err != nil {
		return refusef("Error: failed to open file: %s\nError: Unable to open file: %s\nConsider using a file under /data/local/tmp/", name, name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return refusef("Error: Unable to open file: %s: it is a folder", name)
	}
	base := "base.apk"
	if i > 0 {
		base = fmt.Sprintf("%d_%s", i, name[strings.LastIndexByte(name, '/')+1:])
	}
	_, err = s.writeSession(ses, base, f, info.Size())
	return err
}

// installed prints what came of an installation.
func (s *System) installed(c *shell.Call, err error) int {
	var failure *installFailure
	var said refusal
	switch {
	case err == nil:
		c.Printf("Success\n")
		return 0
	case errors.As(err, &failure):
		c.Printf("Failure [%s]\n", failure)
	case errors.As(err, &said):
		fmt.Fprintf(c.Stderr, "%s\n", string(said))
	default:
		c.Printf("Failure [INSTALL_FAILED_INTERNAL_ERROR: %s]\n", oneLine(err.Error()))
	}
	return 1
}

func (s *System) pmInstallCreate(_ context.Context, c *shell.Call, args *argv) int {
	o, size, err := installFlags(args)
	if err == nil && size > s.free() {
		return s.installed(c, fail("INSTALL_FAILED_INSUFFICIENT_STORAGE", "Failed to override installation location"))
	}
	var ses *session
	if err == nil {
		ses, err = s.openSession(o)
	}
	if err != nil {
		return thrown(c, "install-create", err)
	}
	c.Printf("Success: created install session [%d]\n", ses.ID)
	return 0
}

// sessionArgument is the session that the next argument names.
func (s *System) sessionArgument(args *argv) (*session, error) {
	id, err := args.number("session")
	if err != nil {
		return nil, err
	}
	return s.sessions.find(int(id))
}

func (s *System) pmInstallWrite(_ context.Context, c *shell.Call, args *argv) int {
	_, size, err := installFlags(args)
	var ses *session
	if err == nil {
		ses, err = s.sessionArgument(args)
	}
	if err != nil {
		return thrown(c, "install-write", err)
	}
	name, _ := args.next()
	source, ok := args.next()
	n := int64(0)
	if !ok || source == "-" {
		n, err = s.writeSession(ses, name, c.Stdin, size)
	} else {
		f, openErr := c.FS.Open(c.Path(source))
		if openErr != nil {
			fmt.Fprintf(c.Stderr, "Error: failed to open file: %s\n", source)
			return 1
		}
		defer f.Close()
		n, err = s.writeSession(ses, name, f, size)
	}
	if err != nil {
		return s.installed(c, err)
	}
	c.Printf("Success: streamed %d bytes\n", n)
	return 0
}

func (s *System) pmInstallCommit(ctx context.Context, c *shell.Call, args *argv) int {
	if _, _, err := installFlags(args); err != nil {
		return thrown(c, "install-commit", err)
	}
	ses, err := s.sessionArgument(args)
	if err != nil {
		return thrown(c, "install-commit", err)
	}
	return s.installed(c, s.commit(ctx, ses))
}

func (s *System) pmInstallAbandon(_ context.Context, c *shell.Call, args *argv) int {
	ses, err := s.sessionArgument(args)
	if err == nil {
		err = s.abandon(ses)
	}
	if err != nil {
		return thrown(c, "install-abandon", err)
	}
	c.Printf("Success\n")
	return 0
}
