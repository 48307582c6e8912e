package main

import (
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// One scrape, and another with more: answers of each code. Keep in step with tests/unit/evidence/behaviour/test_presets.py.
var rounds = [][]int{{20, 1, 2}, {120, 5, 12}}

func print(registry *prometheus.Registry, round int) {
	families, err := registry.Gather()
	must(err)
	fmt.Printf("# scrape %d\n", round)
	for _, family := range families {
		_, err = expfmt.MetricFamilyToText(os.Stdout, family)
		must(err)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
