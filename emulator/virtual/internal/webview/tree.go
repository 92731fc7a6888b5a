package webview

import (
	"context"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
)

func (p *process) Tree(ctx context.Context) (*android.Node, error) { return nil, p.alive(ctx) }
