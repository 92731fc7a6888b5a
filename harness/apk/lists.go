package apk

import (
	"context"
	"iter"

	"github.com/unasked-audit/unasked/internal/apkfile"
)

// Classes yields the name of every class that the app's bytecode defines, in the order of
// its files. Bytecode that can't be read yields nothing; Describe tells of it.
func (a *App) Classes(ctx context.Context) iter.Seq[string] {
	return a.bytecode(ctx, func(x *apkfile.Dex, yield func(string) bool) bool {
		for c := range x.Classes() {
			if len(c) > 2 && c[0] == 'L' && !yield(className(c)) {
				return false
			}
		}
		return true
	})
}

// Strings yields every string of the bytecode, those of one file each once.
func (a *App) Strings(ctx context.Context) iter.Seq[string] {
	return a.bytecode(ctx, func(x *apkfile.Dex, yield func(string) bool) bool {
		for s := range x.Strings() {
			if !yield(apkfile.Text(s)) {
				return false
			}
		}
		return true
	})
}

// Methods yields every method that the bytecode refers to, of its own and of others, as "org.example.Main.onCreate".
func (a *App) Methods(ctx context.Context) iter.Seq[string] {
	return a.bytecode(ctx, func(x *apkfile.Dex, yield func(string) bool) bool {
		for c, name := range x.Methods() {
			class := apkfile.Text(c)
			if len(c) > 2 && c[0] == 'L' {
				class = className(c)
			}
			if !yield(class + "." + apkfile.Text(name)) {
				return false
			}
		}
		return true
	})
}

// bytecode reads one file of bytecode after the other.
func (a *App) bytecode(ctx context.Context, each func(*apkfile.Dex, func(string) bool) bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range a.parts {
			for _, name := range p.f.DexNames() {
				if ctx.Err() != nil {
					return
				}
				x, err := p.f.Dex(name)
				if err == nil && !each(x, yield) {
					return
				}
			}
		}
	}
}
