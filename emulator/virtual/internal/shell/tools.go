package shell

import (
	"context"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// registerTools adds toybox's commands and the shell's own builtins.
func (s *Shell) registerTools() {
	tools := map[string]Command{
		"[": cmdTest, "base64": cmdBase64, "basename": cmdBasename, "cat": cmdCat, "chcon": cmdAcceptContext,
		"chgrp": cmdChown, "chmod": cmdChmod, "chown": cmdChown, "clear": cmdClear, "cmp": cmdCmp, "cp": cmdCp,
		"cut": cmdCut, "date": cmdDate, "df": cmdDf, "dirname": cmdDirname, "du": cmdDu, "echo": cmdEcho, "env": cmdEnv,
		"expr": cmdExpr, "false": cmdFalse, "find": cmdFind, "getenforce": cmdGetenforce, "grep": cmdGrep, "egrep": cmdGrep,
		"fgrep": cmdGrep, "groups": cmdGroups, "gunzip": cmdGunzip, "gzip": cmdGzip, "head": cmdHead, "hostname": cmdHostname,
		"id": cmdID, "kill": cmdKill, "ln": cmdLn, "ls": cmdLs, "md5sum": cmdSum, "mkdir": cmdMkdir, "mktemp": cmdMktemp,
		"mount": cmdMount, "mountpoint": cmdMountpoint, "mv": cmdMv, "nohup": cmdNohup, "nproc": cmdNproc, "nsenter": cmdNsenter,
		"od": cmdOd, "pgrep": cmdPgrep, "pidof": cmdPidof, "pkill": cmdPgrep, "printenv": cmdPrintenv, "printf": cmdPrintf,
		"ps": cmdPs, "pwd": cmdPwd, "readlink": cmdReadlink, "realpath": cmdRealpath, "restorecon": cmdAcceptContext,
		"rm": cmdRm, "rmdir": cmdRmdir, "sed": cmdSed, "seq": cmdSeq, "setenforce": cmdSetenforce, "sh": cmdSh,
		"sha1sum": cmdSum, "sha224sum": cmdSum, "sha256sum": cmdSum, "sha512sum": cmdSum, "sleep": cmdSleep, "sort": cmdSort,
		"stat": cmdStat, "sync": cmdTrue, "tac": cmdTac, "tail": cmdTail, "tar": cmdTar, "tee": cmdTee, "test": cmdTest,
		"timeout": cmdTimeout, "touch": cmdTouch, "tr": cmdTr, "true": cmdTrue, "truncate": cmdTruncate, "umount": cmdUmount,
		"uname": cmdUname, "uniq": cmdUniq, "uptime": cmdUptime, "wc": cmdWc, "which": cmdWhich, "whoami": cmdWhoami,
		"xargs": cmdXargs, "xxd": cmdXxd, "yes": cmdYes, "zcat": cmdGunzip,
	}
	s.place("toybox", "")
	for name, cmd := range tools {
		s.commands[name] = cmd
		if name == "sh" {
			s.place(name, "")
			continue
		}
		s.place(name, "toybox")
	}
	s.commands["toybox"] = cmdToybox
	s.commands["su"] = cmdSu
	s.place("su", "")
	s.builtins = map[string]Command{
		"echo": cmdEcho, "print": cmdPrint, "kill": cmdKill, "type": cmdType, "whence": cmdWhence, "pwd": cmdPhysicalPwd,
		"refuse": cmdRefuse, "umask": cmdUmask, "ulimit": cmdUlimit, "jobs": cmdTrue, "fg": cmdNoJob, "bg": cmdNoJob,
		"begin": cmdBegin, "end": cmdEnd, "fc": cmdTrue, "bind": cmdTrue,
	}
}

func userName(id int) string { return rootfs.UserName(id) }

// cmdToybox runs the command that its first argument names.
func cmdToybox(ctx context.Context, c *Call) int {
	if len(c.Args) < 2 {
		for _, name := range c.Shell.Commands() {
			if target, err := c.FS.Readlink("/system/bin/" + name); err == nil && target == "toybox" {
				c.Printf("%s ", name)
			}
		}
		c.Printf("\n")
		return 0
	}
	return c.Exec(ctx, c.Args[1:]...)
}

func cmdTrue(context.Context, *Call) int  { return 0 }
func cmdFalse(context.Context, *Call) int { return 1 }
