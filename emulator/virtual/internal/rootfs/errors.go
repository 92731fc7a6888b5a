package rootfs

import (
	"errors"
	"io/fs"
	"syscall"
)

var (
	errNotExist = syscall.ENOENT
	errDenied   = syscall.EACCES
	errReadOnly = syscall.EROFS
)

// pathError is an error as package os makes them, on a device path.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: number(err)}
}

// number is the errno within an error, so that no path of the host's gets out.
func number(err error) error {
	var no syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.As(err, &no):
		return no
	case errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, fs.ErrExist):
		return syscall.EEXIST
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES
	case errors.Is(err, fs.ErrClosed):
		return syscall.EBADF
	}
	// os.Root's refusal to leave the folder has no errno of its own.
	return syscall.EACCES
}

var messages = map[syscall.Errno]string{
	syscall.EPERM:        "Operation not permitted",
	syscall.ENOENT:       "No such file or directory",
	syscall.EIO:          "I/O error",
	syscall.ENXIO:        "No such device or address",
	syscall.EBADF:        "Bad file descriptor",
	syscall.EACCES:       "Permission denied",
	syscall.EBUSY:        "Device or resource busy",
	syscall.EEXIST:       "File exists",
	syscall.EXDEV:        "Invalid cross-device link",
	syscall.ENODEV:       "No such device",
	syscall.ENOTDIR:      "Not a directory",
	syscall.EISDIR:       "Is a directory",
	syscall.EINVAL:       "Invalid argument",
	syscall.EMFILE:       "Too many open files",
	syscall.EFBIG:        "File too large",
	syscall.ENOSPC:       "No space left on device",
	syscall.EROFS:        "Read-only file system",
	syscall.EPIPE:        "Broken pipe",
	syscall.ENAMETOOLONG: "File name too long",
	syscall.ENOTEMPTY:    "Directory not empty",
	syscall.ELOOP:        "Too many symbolic links encountered",
	syscall.ETXTBSY:      "Text file busy",
	syscall.ESRCH:        "No such process",
	syscall.ECONNREFUSED: "Connection refused",
}

// Message is what Android's C library says of an error, such as "Permission
// denied", without the path.
func Message(err error) string {
	if err == nil {
		return "Success"
	}
	no, ok := number(err).(syscall.Errno)
	if !ok {
		return err.Error()
	}
	if m, ok := messages[no]; ok {
		return m
	}
	return no.Error()
}

// Errno is the errno of an error as Linux numbers it, for protocols that carry it.
func Errno(err error) uint32 {
	if err == nil {
		return 0
	}
	no, _ := number(err).(syscall.Errno)
	return uint32(no)
}
