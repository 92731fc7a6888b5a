package android

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// where is a condition on a row, compiled from the part of SQL that people
// write after --where: comparisons, LIKE, IN, IS NULL, AND, OR, NOT, parentheses.
type where func(row map[string]value) bool

// value is one cell: text, or null.
type value struct {
	Text string
	Null bool
}

// compileWhere compiles a condition; "" holds for every row.
func compileWhere(s string) (where, error) {
	if strings.TrimSpace(s) == "" {
		return func(map[string]value) bool { return true }, nil
	}
	tokens, err := lexWhere(s)
	if err != nil {
		return nil, err
	}
	p := &whereParser{tokens: tokens, source: s}
	w, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.tokens) {
		return nil, p.unexpected()
	}
	return w, nil
}

type whereToken struct {
	kind byte // 'w' word, 's' string, 'n' number, 'o' operator
	text string
}

func lexWhere(s string) ([]whereToken, error) {
	var tokens []whereToken
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n':
			i++
		case c == '\'' || c == '"':
			var text strings.Builder
			j := i + 1
			for {
				if j >= len(s) {
					return nil, fmt.Errorf("unterminated string in condition %q", s)
				}
				if s[j] == c {
					if j+1 < len(s) && s[j+1] == c {
						j++
					} else {
						break
					}
				}
				text.WriteByte(s[j])
				j++
			}
			kind := byte('s')
			tokens = append(tokens, whereToken{kind, text.String()})
			i = j + 1
		case c >= '0' && c <= '9' || c == '-' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			j := i + 1
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == '.') {
				j++
			}
			tokens = append(tokens, whereToken{'n', s[i:j]})
			i = j
		case c == '_' || unicode.IsLetter(rune(c)):
			j := i + 1
			for j < len(s) && (s[j] == '_' || s[j] == '.' || unicode.IsLetter(rune(s[j])) || s[j] >= '0' && s[j] <= '9') {
				j++
			}
			tokens = append(tokens, whereToken{'w', s[i:j]})
			i = j
		default:
			n := 1
			if i+1 < len(s) {
				switch s[i : i+2] {
				case "!=", "<>", "<=", ">=", "==":
					n = 2
				}
			}
			if !strings.Contains("=<>!(),", s[i:i+1]) {
				return nil, fmt.Errorf("unrecognized token %q in condition %q", s[i:i+1], s)
			}
			tokens = append(tokens, whereToken{'o', s[i : i+n]})
			i += n
		}
	}
	return tokens, nil
}

type whereParser struct {
	tokens []whereToken
	at     int
	depth  int
	source string
}

func (p *whereParser) unexpected() error {
	if p.at >= len(p.tokens) {
		return fmt.Errorf("incomplete condition %q", p.source)
	}
	return fmt.Errorf("near %q: syntax error in condition %q", p.tokens[p.at].text, p.source)
}

// word takes the next token if it is that keyword.
func (p *whereParser) word(w string) bool {
	if p.at < len(p.tokens) && p.tokens[p.at].kind == 'w' && strings.EqualFold(p.tokens[p.at].text, w) {
		p.at++
		return true
	}
	return false
}

func (p *whereParser) op(o string) bool {
	if p.at < len(p.tokens) && p.tokens[p.at].kind == 'o' && p.tokens[p.at].text == o {
		p.at++
		return true
	}
	return false
}

func (p *whereParser) or() (where, error) {
	left, err := p.and()
	for err == nil && p.word("OR") {
		var right where
		if right, err = p.and(); err == nil {
			l := left
			left = func(r map[string]value) bool { return l(r) || right(r) }
		}
	}
	return left, err
}

func (p *whereParser) and() (where, error) {
	left, err := p.not()
	for err == nil && p.word("AND") {
		var right where
		if right, err = p.not(); err == nil {
			l := left
			left = func(r map[string]value) bool { return l(r) && right(r) }
		}
	}
	return left, err
}

func (p *whereParser) not() (where, error) {
	if p.depth++; p.depth > 100 {
		return nil, fmt.Errorf("condition nested too deeply: %.40q", p.source)
	}
	defer func() { p.depth-- }()
	if p.word("NOT") {
		w, err := p.not()
		if err != nil {
			return nil, err
		}
		return func(r map[string]value) bool { return !w(r) }, nil
	}
	if p.op("(") {
		w, err := p.or()
		if err == nil && !p.op(")") {
			err = p.unexpected()
		}
		return w, err
	}
	return p.comparison()
}

// operand is a column or a literal.
func (p *whereParser) operand() (func(map[string]value) value, error) {
	if p.at >= len(p.tokens) || p.tokens[p.at].kind == 'o' {
		return nil, p.unexpected()
	}
	t := p.tokens[p.at]
	p.at++
	if t.kind == 'w' {
		if strings.EqualFold(t.text, "NULL") {
			return func(map[string]value) value { return value{Null: true} }, nil
		}
		return func(r map[string]value) value {
			if v, ok := r[t.text]; ok {
				return v
			}
			return value{Null: true}
		}, nil
	}
	return func(map[string]value) value { return value{Text: t.text} }, nil
}

func (p *whereParser) comparison() (where, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.word("IS") {
		not := p.word("NOT")
		if !p.word("NULL") {
			return nil, p.unexpected()
		}
		return func(r map[string]value) bool { return left(r).Null != not }, nil
	}
	not := p.word("NOT")
	if p.word("LIKE") {
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		return func(r map[string]value) bool {
			l, pattern := left(r), right(r)
			return !l.Null && !pattern.Null && like(strings.ToLower(l.Text), strings.ToLower(pattern.Text)) != not
		}, nil
	}
	if p.word("IN") {
		var set []func(map[string]value) value
		if !p.op("(") {
			return nil, p.unexpected()
		}
		for {
			v, err := p.operand()
			if err != nil {
				return nil, err
			}
			set = append(set, v)
			if p.op(")") {
				break
			}
			if !p.op(",") {
				return nil, p.unexpected()
			}
		}
		return func(r map[string]value) bool {
			l := left(r)
			for _, v := range set {
				if x := v(r); !l.Null && !x.Null && compare(l.Text, x.Text) == 0 {
					return !not
				}
			}
			return not && !l.Null
		}, nil
	}
	if not || p.at >= len(p.tokens) || p.tokens[p.at].kind != 'o' {
		return nil, p.unexpected()
	}
	op := p.tokens[p.at].text
	test, ok := map[string]func(int) bool{
		"=": func(c int) bool { return c == 0 }, "==": func(c int) bool { return c == 0 },
		"!=": func(c int) bool { return c != 0 }, "<>": func(c int) bool { return c != 0 },
		"<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
		">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 },
	}[op]
	if !ok {
		return nil, p.unexpected()
	}
	p.at++
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	return func(r map[string]value) bool {
		l, x := left(r), right(r)
		return !l.Null && !x.Null && test(compare(l.Text, x.Text))
	}, nil
}

// compare orders numbers as numbers and all else as text.
func compare(a, b string) int {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	if errA == nil && errB == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(a, b)
}

// like matches SQL's % and _, in time linear in the product of the lengths.
func like(s, pattern string) bool {
	text, pat := []rune(s), []rune(pattern)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case j < len(pat) && pat[j] == '%':
			star, mark = j, i
			j++
		case j < len(pat) && (pat[j] == '_' || pat[j] == text[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(pat) && pat[j] == '%' {
		j++
	}
	return j == len(pat)
}
