package webview

import (
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// origin is where an app's own assets are, as Android's WebViewAssetLoader has it.
const origin = "https://appassets.androidplatform.net"

const (
	assetsPath = "/assets/"
	bridgePath = "/.bridge/"
)

// reply is what the app's origin answers.
type reply struct {
	status int
	mime   string
	body   []byte
}

func refusal(status int) reply { return reply{status, "text/plain", []byte(http.StatusText(status))} }

// asset finds a file by its URL. Nothing else of the host can be named: fs.FS
// has no way out.
func asset(assets fs.FS, method string, u *url.URL) reply {
	if method != http.MethodGet && method != http.MethodHead {
		return refusal(http.StatusMethodNotAllowed)
	}
	name, ok := strings.CutPrefix(u.Path, assetsPath)
	if !ok || !fs.ValidPath(name) {
		return refusal(http.StatusNotFound)
	}
	content, err := fs.ReadFile(assets, name)
	if err != nil {
		return refusal(http.StatusNotFound)
	}
	r := reply{http.StatusOK, mimeType(name, content), content}
	if method == http.MethodHead {
		r.body = nil
	}
	return r
}

// types are those of the web's own formats. The host's tables are not asked
// first, since they differ from machine to machine.
var types = map[string]string{
	".avif": "image/avif", ".css": "text/css", ".gif": "image/gif", ".htm": "text/html", ".html": "text/html",
	".ico": "image/x-icon", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "text/javascript",
	".json": "application/json", ".map": "application/json", ".mjs": "text/javascript", ".mp3": "audio/mpeg",
	".mp4": "video/mp4", ".ogg": "audio/ogg", ".otf": "font/otf", ".pdf": "application/pdf", ".png": "image/png",
	".svg": "image/svg+xml", ".ttf": "font/ttf", ".txt": "text/plain", ".wasm": "application/wasm",
	".wav": "audio/wav", ".webm": "video/webm", ".webmanifest": "application/manifest+json", ".webp": "image/webp",
	".woff": "font/woff", ".woff2": "font/woff2", ".xhtml": "application/xhtml+xml", ".xml": "application/xml",
}

// mimeType names a file's type by its name, or else by how it begins.
func mimeType(name string, content []byte) string {
	ext := strings.ToLower(path.Ext(name))
	t, ok := types[ext]
	if !ok {
		if t = mime.TypeByExtension(ext); t == "" {
			t = http.DetectContentType(content)
		}
	}
	if strings.HasPrefix(t, "text/") && !strings.Contains(t, "charset") {
		t += "; charset=utf-8"
	}
	return t
}
