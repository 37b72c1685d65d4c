// Command go-service writes real profiles of itself while it works: CPU profiles of short windows, or heap profiles that
// grow. Its stacks are deep and many because it parses Go source, JSON and regular expressions and walks a tree of closures.
//
//	go run . cpu DIRECTORY 238
//	go run . heap DIRECTORY 40
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"text/template"
	"time"
)

func main() {
	kind, directory := os.Args[1], os.Args[2]
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	check(os.MkdirAll(directory, 0o755))
	files, err := filepath.Glob(filepath.Join(runtime.GOROOT(), "src", "net", "http", "*.go"))
	check(err)
	if kind == "heap" {
		// Nearly every allocation is sampled, so that the profile has the stacks of a long-running service.
		runtime.MemProfileRate = 512
	}
	work := newWork(files)
	for i := 0; i < count; i++ {
		name := filepath.Join(directory, fmt.Sprintf("%04d.pb.gz", i))
		out, err := os.Create(name)
		check(err)
		if kind == "cpu" {
			check(pprof.StartCPUProfile(out))
			for start := time.Now(); time.Since(start) < 300*time.Millisecond; {
				work.step()
			}
			pprof.StopCPUProfile()
		} else {
			for start := time.Now(); time.Since(start) < 600*time.Millisecond; {
				work.step()
			}
			runtime.GC()
			check(pprof.Lookup("heap").WriteTo(out, 0))
		}
		check(out.Close())
	}
}

type work struct {
	random *rand.Rand
	files  []string
	kept   [][]byte
	visit  func(depth, choice int) int
}

func newWork(files []string) *work {
	w := &work{random: rand.New(rand.NewSource(1)), files: files}
	w.visit = branches(w)
	return w
}

// step does a little of everything, by many ways to the same functions.
func (w *work) step() {
	switch w.random.Intn(5) {
	case 0:
		w.parse(w.files[w.random.Intn(len(w.files))])
	case 1:
		w.encode(w.random.Intn(6))
	case 2:
		w.match()
	case 3:
		w.render()
	default:
		for i := 0; i < 150; i++ {
			w.visit(0, w.random.Intn(1<<30))
		}
	}
}

func (w *work) parse(file string) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, nil, parser.ParseComments)
	check(err)
	n := 0
	ast.Inspect(tree, func(ast.Node) bool { n++; return true })
	var out bytes.Buffer
	check(format.Node(&out, set, tree))
	w.keep(out.Bytes())
}

type order struct {
	Name  string
	Items []order
	Tags  map[string]float64
}

func (w *work) newOrder(depth int) order {
	o := order{Name: strings.Repeat("x", 1+w.random.Intn(20)), Tags: map[string]float64{}}
	for i := 0; i < w.random.Intn(4); i++ {
		o.Tags[strconv.Itoa(i)] = w.random.Float64()
	}
	for i := 0; depth > 0 && i < 2; i++ {
		o.Items = append(o.Items, w.newOrder(depth-1))
	}
	return o
}

func (w *work) encode(depth int) {
	text, err := json.Marshal(w.newOrder(depth))
	check(err)
	var back order
	check(json.Unmarshal(text, &back))
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, err = zip.Write(text)
	check(err)
	check(zip.Close())
	w.keep(out.Bytes())
}

func (w *work) match() {
	expression := regexp.MustCompile(fmt.Sprintf(`(a|b|%d)*c+(d|e[0-9]{1,%d})?`, w.random.Intn(100), 1+w.random.Intn(9)))
	w.keep(expression.ReplaceAll([]byte(strings.Repeat("abacde1", 50)), []byte("$1")))
}

func (w *work) render() {
	t := template.Must(template.New("t").Parse(`{{range .}}{{if .Items}}{{.Name}}{{end}}{{len .Tags}}{{end}}`))
	var out bytes.Buffer
	check(t.Execute(&out, []order{w.newOrder(3), w.newOrder(2)}))
	w.keep(out.Bytes())
}

func (w *work) keep(b []byte) {
	if len(w.kept) > 2000 {
		w.kept = w.kept[1000:]
	}
	w.kept = append(w.kept, b)
}

// branches is a tree of ways: eight functions that call each other in an order that the bits of choice decide, each
// allocating, so that the number of different stacks grows with the depth.
func branches(w *work) func(depth, choice int) int {
	ways := [8]func(depth, choice int) int{}
	next := func(depth, choice int) int {
		if depth > 14 {
			return depth
		}
		return ways[choice&7](depth+1, choice>>3|choice<<27)
	}
	ways[0] = func(d, c int) int { w.keep(make([]byte, 16+c&31)); return next(d, c) + 1 }
	ways[1] = func(d, c int) int { w.keep(make([]byte, 64+c&63)); return next(d, c) + 2 }
	ways[2] = func(d, c int) int { return next(d, c) + len(strconv.Itoa(c)) }
	ways[3] = func(d, c int) int { return next(d, c) + len(fmt.Sprint(c, d)) }
	ways[4] = func(d, c int) int { w.keep([]byte(strings.Repeat("y", c&15))); return next(d, c) }
	ways[5] = func(d, c int) int { m := map[int]int{c: d}; return next(d, c) + len(m) }
	ways[6] = func(d, c int) int { s := append([]int(nil), c, d); return next(d, c) + len(s) }
	ways[7] = func(d, c int) int { w.keep(bytes.ToUpper([]byte("order"))); return next(d, c) }
	return next
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
