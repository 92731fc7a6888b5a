package webview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
)

// maxBridgeBody bounds what a page may hand to the platform in one call.
const maxBridgeBody = 128 << 20

// bridgeScript gives the app's own pages the object AndroidBridge, before any
// script of theirs runs. A call is a synchronous request to the app's own
// origin, which never leaves the device.
const bridgeScript = `(() => {
	if (self.origin !== '` + origin + `') return;
	const Request = XMLHttpRequest, { parse, stringify } = JSON, Fault = Error;
	const open = Request.prototype.open, send = Request.prototype.send;
	const apply = Reflect.apply;
	const invoke = (method, args) => {
		const request = new Request();
		apply(open, request, ['POST', '` + origin + bridgePath + `' + encodeURIComponent(method), false]);
		apply(send, request, [stringify(args)]);
		if (request.status !== 200) throw new Fault('the platform does not answer: ' + request.status);
		const answer = parse(request.responseText);
		if ('error' in answer) throw new Fault(answer.error);
		return answer.value;
	};
	const methods = Object.create(null);
	const callable = (name) => typeof name === 'string' && name !== 'then' && name !== 'toJSON' && !(name in Object.prototype);
	Object.defineProperty(self, 'AndroidBridge', { enumerable: true, value: new Proxy(Object.freeze({}), {
		get(_, name) {
			// Not what the language itself asks an object for.
			if (!callable(name)) return Object.prototype[name];
			return methods[name] ??= (...args) => invoke(name, args);
		},
		has: (_, name) => callable(name),
	}) });
})();`

// ask hands a page's call to the platform and words the answer.
func ask(ctx context.Context, bridge android.Bridge, method string, body []byte) reply {
	if bridge == nil {
		return fault(errors.New("this app has no bridge"))
	}
	var args []json.RawMessage
	if err := json.Unmarshal(body, &args); err != nil {
		return fault(fmt.Errorf("%s: the arguments are no JSON array: %w", method, err))
	}
	value, err := bridge.Call(ctx, method, args)
	if err != nil {
		return fault(err)
	}
	text, err := json.Marshal(struct {
		Value any `json:"value"`
	}{value})
	if err != nil {
		return fault(fmt.Errorf("%s: %w", method, err))
	}
	return reply{http.StatusOK, "application/json", text}
}

// fault is an error that the page gets as an exception.
func fault(err error) reply {
	text, _ := json.Marshal(map[string]string{"error": err.Error()})
	return reply{http.StatusOK, "application/json", text}
}
