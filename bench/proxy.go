package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// load is one kind of traffic.
type load struct {
	what, unit string
	size       int64   // bytes of each request's body, and of each response's
	scale      float64 // from requests to the unit
	rounds     int
	length     time.Duration
	goals      map[string]float64 // contender → ratio
}

var loads = []load{
	{
		what: "proxy, 1 KB bodies", unit: "requests/s", size: 1 << 10, scale: 1, rounds: 5, length: 1500 * time.Millisecond,
		goals: map[string]float64{"mitmdump": 20, "goproxy": 2.5, "none": 0.30},
	},
	{
		what: "proxy, 1 MB bodies", unit: "MB/s", size: 1 << 20, scale: 2 * (1 << 20) / 1e6, rounds: 5, length: 1500 * time.Millisecond,
		goals: map[string]float64{"mitmdump": 4, "goproxy": 2, "none": 0.25},
	},
}

// contenders in the order of the table.
var contenders = []string{"unasked", "mitmdump", "goproxy", "goproxy-tuned", "bare", "none"}

var described = map[string]string{
	"mitmdump": "mitmdump -w", "goproxy": "goproxy, bodies read", "goproxy-tuned": "goproxy tuned, bodies read", "bare": "http.Server and ReverseProxy, bodies to a file", "none": "no proxy",
}

// measureProxy has eight clients send through each proxy in turns. The median round counts.
func measureProxy(ctx context.Context, l *lab) (err error) {
	o, err := startOrigin()
	if err != nil {
		return err
	}
	defer o.close()
	for _, load := range loads {
		if l.quick {
			load.rounds, load.length = 1, 500*time.Millisecond
		}
		results := map[string][]float64{}
		for i := range load.rounds {
			for _, name := range contenders {
				// Each round begins with nothing recorded, so that the disk holds one round only.
				n, err := l.one(ctx, name, o, load)
				if err != nil {
					return fmt.Errorf("%s through %s: %w", load.what, name, err)
				}
				results[name] = append(results[name], n*load.scale)
				fmt.Fprintf(os.Stderr, "  %s, round %d: %s %s %s\n", load.what, i+1, name, number(n*load.scale), load.unit)
			}
		}
		ours := median(results["unasked"])
		for _, name := range contenders[1:] {
			if goal, ok := load.goals[name]; ok {
				l.table.ratio(load.what, load.unit, described[name], ours, median(results[name]), goal)
			} else {
				l.table.seen(load.what, load.unit, described[name], ours, median(results[name]))
			}
		}
	}
	return nil
}

// one is one round through one proxy, after a warm-up.
func (l *lab) one(ctx context.Context, name string, o *origin, load load) (rate float64, err error) {
	c, err := l.start(ctx, name, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	senders := c.senders(o, load.size, clients)
	defer func() {
		for _, s := range senders {
			s.close()
		}
	}()
	if _, err := round(ctx, senders, load.length/3); err != nil {
		return 0, err
	}
	return round(ctx, senders, load.length)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
