package android

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// bridge answers one app's calls to the platform. Every method is guarded by
// the permission that Android asks for, and acts on files as the app's own uid.
type bridge struct {
	system  *System
	process *process
}

// bridgeMethod is one method of AndroidBridge.
type bridgeMethod func(b *bridge, ctx context.Context, a *app, args arguments) (any, error)

// bridgeMethods are the methods by name.
var bridgeMethods = map[string]bridgeMethod{
	"androidId":     func(b *bridge, _ context.Context, a *app, _ arguments) (any, error) { return b.system.ssaid(a) },
	"advertisingId": func(b *bridge, _ context.Context, a *app, _ arguments) (any, error) { return b.system.advertisingID(a) },
	"deviceInfo":    func(b *bridge, _ context.Context, _ *app, _ arguments) (any, error) { return b.system.deviceInfo() },
	"checkPermission": func(_ *bridge, _ context.Context, a *app, args arguments) (any, error) {
		name, err := args.text(0)
		return a.Grants[name].Granted, err
	},
	"requestPermissions": (*bridge).requestPermissions,
	"location":           (*bridge).location,
	"contacts":           (*bridge).contacts,
	"calendar":           (*bridge).calendar,
	"accounts":           (*bridge).accounts,
	"addAccount":         (*bridge).addAccount,
	"clipboard":          (*bridge).clipboard,
	"setClipboard":       (*bridge).setClipboard,
	"imei":               (*bridge).imei,
	"phoneNumber":        (*bridge).phoneNumber,
	"prefsGet":           (*bridge).prefsGet,
	"prefsPut":           (*bridge).prefsPut,
	"prefsRemove":        (*bridge).prefsRemove,
	"readFile":           (*bridge).readFile,
	"writeFile":          (*bridge).writeFile,
	"deleteFile":         (*bridge).deleteFile,
	"listFiles":          (*bridge).listFiles,
	"recordVideo":        (*bridge).recordVideo,
	"sendDatagram":       (*bridge).sendDatagram,
	"log": func(b *bridge, _ context.Context, a *app, args arguments) (any, error) {
		tag, err1 := args.text(0)
		message, err2 := args.text(1)
		b.system.log.write(b.process.pid, a.UID, 'I', oneLine(tag), message)
		return nil, errors.Join(err1, err2)
	},
	"finish": func(b *bridge, _ context.Context, a *app, _ arguments) (any, error) {
		b.system.background(func() { _ = b.system.stop(b.system.life, a.Name, "finish") })
		return nil, nil
	},
}

// Call implements Bridge.
func (b *bridge) Call(ctx context.Context, method string, args []json.RawMessage) (any, error) {
	call, ok := bridgeMethods[method]
	if !ok {
		return nil, refusef("AndroidBridge has no method %q", method)
	}
	a, ok := b.system.registry.get(b.process.app.Name)
	if !ok {
		return nil, refusal("the app is not installed any more")
	}
	result, err := call(b, ctx, a, arguments{method, args})
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	return result, nil
}

// arguments are those of one call.
type arguments struct {
	method string
	list   []json.RawMessage
}

// text is an argument as text: numbers and booleans as JavaScript prints them.
func (a arguments) text(i int) (string, error) {
	if i >= len(a.list) {
		return "", refusef("AndroidBridge.%s: argument %d is missing", a.method, i+1)
	}
	var s string
	if json.Unmarshal(a.list[i], &s) == nil {
		return s, nil
	}
	raw := string(a.list[i])
	if strings.HasPrefix(raw, "{") || strings.HasPrefix(raw, "[") {
		return "", refusef("AndroidBridge.%s: argument %d must be a string", a.method, i+1)
	}
	return raw, nil
}

// number is an argument as an integer.
func (a arguments) number(i int) (int, error) {
	var n float64
	if i >= len(a.list) || json.Unmarshal(a.list[i], &n) != nil {
		return 0, refusef("AndroidBridge.%s: argument %d must be a number", a.method, i+1)
	}
	return int(n), nil
}

// name is an argument that names a file in one of the app's folders.
func (a arguments) name(i int) (string, error) {
	s, err := a.text(i)
	if err != nil {
		return "", err
	}
	if s == "" || s == "." || s == ".." || strings.ContainsAny(s, "/\x00") || len(s) > 200 {
		return "", illegalArgument("File %s contains a path separator or is no file name", s)
	}
	return s, nil
}

// asJSON is a result for JSON.parse.
func asJSON(v any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(v)
	return string(data), err
}

// folder makes one of the app's folders if it is not there, and returns the tree as the app sees it.
func (b *bridge) folder(a *app, name string) (*rootfs.View, string, error) {
	dir := a.dataDir() + "/" + name
	view := b.system.fs.As(a.UID)
	if err := view.Mkdir(dir, 0o771); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, "", javaIO(err)
	}
	return view, dir, nil
}

// javaIO puts a file error into Java's words, without the host's.
func javaIO(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return refusef("java.io.FileNotFoundException: %s: open failed: %v", path.Path, path.Err)
	}
	return refusef("java.io.IOException: %v", err)
}

func (b *bridge) readFile(_ context.Context, a *app, args arguments) (any, error) {
	name, err := args.name(0)
	if err != nil {
		return nil, err
	}
	view, dir, err := b.folder(a, "files")
	if err != nil {
		return nil, err
	}
	data, err := view.ReadFile(dir + "/" + name)
	if err != nil {
		return nil, javaIO(err)
	}
	return base64.StdEncoding.EncodeToString(data), nil
}

func (b *bridge) writeFile(_ context.Context, a *app, args arguments) (any, error) {
	name, err := args.name(0)
	if err != nil {
		return nil, err
	}
	text, err := args.text(1)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, illegalArgument("bad base-64")
	}
	if int64(len(data)) > b.system.free() {
		return nil, refusal("java.io.IOException: write failed: ENOSPC (No space left on device)")
	}
	view, dir, err := b.folder(a, "files")
	if err != nil {
		return nil, err
	}
	if err := view.WriteFile(dir+"/"+name, data, 0o600); err != nil {
		return nil, javaIO(err)
	}
	return nil, nil
}

func (b *bridge) deleteFile(_ context.Context, a *app, args arguments) (any, error) {
	name, err := args.name(0)
	if err != nil {
		return nil, err
	}
	return b.system.fs.As(a.UID).Remove(a.dataDir()+"/files/"+name) == nil, nil
}

func (b *bridge) listFiles(_ context.Context, a *app, _ arguments) (any, error) {
	names := []string{}
	entries, err := b.system.fs.As(a.UID).ReadDir(a.dataDir() + "/files")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, javaIO(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return asJSON(names, nil)
}

func (b *bridge) recordVideo(_ context.Context, a *app, args arguments) (any, error) {
	name, err := args.name(0)
	if err != nil {
		return nil, err
	}
	code, err := args.number(1)
	if err != nil {
		return nil, err
	}
	empty, err := b.guard(a, "android.permission.CAMERA", "Lacking privileges to access camera service")
	if err != nil {
		return nil, err
	}
	if empty {
		return nil, refusal("android.hardware.camera2.CameraAccessException: CAMERA_DISABLED (1): the camera was disabled")
	}
	feed, err := b.system.camera.record(b.system.files)
	if err != nil {
		return nil, refusef("android.hardware.camera2.CameraAccessException: CAMERA_ERROR (3): the camera's feed can't be read: %v", err)
	}
	defer feed.Close()
	view, dir, err := b.folder(a, "files")
	if err != nil {
		return nil, err
	}
	w, err := view.Create(dir + "/" + name)
	if err != nil {
		return nil, javaIO(err)
	}
	size, err := io.Copy(w, io.LimitReader(feed, b.system.free()))
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, javaIO(err)
	}
	b.emit("androidrecorded", map[string]any{"requestCode": code, "name": name, "size": size})
	return nil, nil
}

// emit sends the page an event once it has time for it: the page waits for the
// call that is under way.
func (b *bridge) emit(event string, detail any) {
	b.system.background(func() {
		select {
		case <-b.process.ready:
		case <-b.process.gone:
			return
		}
		if err := b.process.run.Emit(b.system.life, event, detail); err != nil && !ended(b.process) {
			b.system.log.write(b.process.pid, b.process.app.UID, 'W', "AndroidBridge", fmt.Sprintf("%s: %v", event, err))
		}
	})
}
