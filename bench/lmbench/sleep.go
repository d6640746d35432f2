package lmbench

import (
	"errors"
	"fmt"
	"time"

	"xsmbench/bench"
)

// sleepMicros is how long lat_usleep sleeps, µs.
const sleepMicros = 100

// registerSleep registers lat_usleep.
func registerSleep() {
	for _, m := range bench.SleepMethods() {
		setup := func(d bench.Domain) (bench.Loop, func(), error) { return sleeps(d.OS(), m) }
		if m == bench.Itimer {
			setup = native(bench.NativeItimer, setup, sleepMicros)
		}
		register(bench.Benchmark{
			Name: "lat_usleep/method=" + string(m), Source: fmt.Sprintf("lat_usleep -u %s %d", m, sleepMicros), Full: true,
			Doc:   fmt.Sprintf("sleep %d µs by %s", sleepMicros, m),
			Needs: []bench.Facility{bench.Sleeping},
			Hooks: []bench.Crossing{{Hook: sendEvent[0].Hook, Note: "0, unless another vCPU must be woken"}},
			Setup: setup,
		})
	}
}

func sleeps(os bench.OS, m bench.SleepMethod) (bench.Loop, func(), error) {
	sleeper, ok := os.(bench.Sleeper)
	if !ok {
		return nil, nil, fmt.Errorf("sleep: %w", errors.ErrUnsupported)
	}
	sleep, end, err := sleeper.ReadySleep(m, sleepMicros*time.Microsecond)
	if err != nil {
		return nil, nil, fmt.Errorf("ready sleep: %w", err)
	}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := sleep(); err != nil {
				return fmt.Errorf("sleep: %w", err)
			}
		}
		return nil
	}
	return loop, end, nil
}
