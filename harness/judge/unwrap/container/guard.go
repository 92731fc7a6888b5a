package container

import "bytes"

// guards stand before JSON so that a page that includes it as a script can't read it.
var guards = [][]byte{
	[]byte(")]}',"), []byte(")]}'"), []byte("while(1);"), []byte("while (1);"), []byte("for(;;);"), []byte("for (;;);"),
	[]byte("throw 1; <dont be evil>"), []byte("{}&&"), []byte("/**/"),
}

// longestCallback is how long the name of a function is that JSONP calls.
const longestCallback = 128

// unguarded is JSON without a byte order mark, and without the guard or the call of
// a function (JSONP) around it.
func unguarded(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := bytes.TrimLeft(data, " \t\r\n\x1e")
	if len(text) < 3 || text[0] == '[' || text[0] == '"' || text[0] == '{' && text[1] != '}' {
		return data
	}
	for _, g := range guards {
		if rest, ok := bytes.CutPrefix(text, g); ok {
			text = bytes.TrimLeft(rest, " \t\r\n")
			data = text
			break
		}
	}
	n := 0
	for n < len(text) && n < longestCallback && inCallback(text[n]) {
		n++
	}
	if n == 0 || n >= len(text) || text[n] != '(' || text[0] >= '0' && text[0] <= '9' {
		return data
	}
	inner := bytes.TrimLeft(text[n+1:], " \t\r\n")
	if len(inner) == 0 || inner[0] != '{' && inner[0] != '[' {
		return data
	}
	inner = bytes.TrimRight(inner, "; \t\r\n")
	return bytes.TrimSuffix(inner, []byte(")"))
}

func inCallback(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '.' || c == '[' || c == ']'
}
