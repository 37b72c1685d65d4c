package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
)

// Product is an article of the catalog.
type Product struct {
	SKU, Family, Title    string
	Cents, Grams, CubicCm int
}

// Item is a line of an order with its product.
type Item struct {
	Product  Product
	Quantity int
	Cents    int
	Note     string
}

// Catalog finds products by their number.
type Catalog struct {
	products []Product
	bySKU    map[string]int
}

var families = []string{"tools", "garden", "kitchen", "office", "toys", "books", "sports", "lighting"}

// NewCatalog makes a catalog that is always the same.
func NewCatalog(size int) *Catalog {
	catalog := &Catalog{bySKU: make(map[string]int, size)}
	state := uint32(20261120)
	next := func(below int) int {
		state = (state*1103515245 + 12345) & 0x7fffffff
		return int(state>>8) % below
	}
	for i := range size {
		family := families[next(len(families))]
		sku := fmt.Sprintf("%s-%05d", strings.ToUpper(family[:3]), i)
		catalog.bySKU[sku] = i
		catalog.products = append(catalog.products, Product{
			SKU: sku, Family: family, Title: fmt.Sprintf("%s article %x", family, i),
			Cents: 199 + next(24_000), Grams: 40 + next(9_000), CubicCm: 60 + next(22_000),
		})
	}
	return catalog
}

// Find returns the product of a number.
func (c *Catalog) Find(sku string) (Product, bool) {
	i, ok := c.bySKU[sku]
	if !ok {
		return Product{}, false
	}
	return c.products[i], true
}

// StandingOrder is every third product, so that a smoke test has something to do.
func (c *Catalog) StandingOrder() []Line {
	var lines []Line
	for i := 0; i < len(c.products); i += 3 {
		product := c.products[i]
		note := fmt.Sprintf("for shelf %d of the north hall;  please wrap %s, and label it %s", i, product.Title, product.SKU)
		lines = append(lines, Line{SKU: product.SKU, Quantity: 1 + i%2, Note: note})
	}
	return lines
}

type campaign struct {
	family        string
	digit         byte
	leastQuantity int
	percent       int
	members       bool
}

var campaigns = func() (list []campaign) {
	for i := range 240 {
		c := campaign{digit: byte('0' + i%10), leastQuantity: 1 + i%4, percent: 2 + i%9, members: i%5 == 0}
		if i%3 != 0 {
			c.family = families[i%6]
		}
		list = append(list, c)
	}
	return list
}()

// BestDiscount in cents: campaigns do not add up.
func BestDiscount(item Item, customer string) int {
	best := 0
	for _, c := range campaigns {
		if (c.family != "" && c.family != item.Product.Family) || item.Quantity < c.leastQuantity {
			continue
		}
		if (c.members && customer == "") || !strings.HasSuffix(item.Product.SKU, string(c.digit)) {
			continue
		}
		best = max(best, item.Product.Cents*item.Quantity*c.percent/100)
	}
	return best
}

// TidyNote is a note as it is printed: single spaces, capitalised words, 60 characters at most.
func TidyNote(note string) string {
	var tidy strings.Builder
	start := true
	for _, char := range note {
		switch {
		case tidy.Len() >= 60:
			return tidy.String()
		case unicode.IsSpace(char):
			if !start {
				tidy.WriteRune(' ')
			}
			start = true
		case start:
			tidy.WriteRune(unicode.ToUpper(char))
			start = false
		default:
			tidy.WriteRune(char)
		}
	}
	return tidy.String()
}

// ComputeTax in cents, in four instalments, each rounded so that the parts add up to the whole.
func ComputeTax(items []Item, country string) int {
	full, reduced := 0.19, 0.07
	if country == "FR" {
		full, reduced = 0.20, 0.055
	}
	exact, rests := 0.0, make([]float64, 0, 4*len(items))
	for _, item := range items {
		rate := full
		if item.Product.Family == "books" {
			rate = reduced
		}
		for month := 1; month <= 4; month++ {
			part := float64(item.Cents) / 4 * rate * (1 + float64(month%3)/1000)
			exact += part
			rests = append(rests, part-math.Floor(part))
		}
	}
	slices.Sort(rests)
	// The largest remainders get the missing cents; here only their sum matters.
	missing := 0.0
	for _, rest := range rests {
		missing += rest
	}
	return int(math.Floor(exact-missing) + math.Round(missing))
}

// Parcel is what is packed together.
type Parcel struct{ Grams, CubicCm, Pieces int }

// PackParcels packs first fit: every piece goes into the first parcel with room for it.
func PackParcels(items []Item) []Parcel {
	sorted := slices.SortedFunc(slices.Values(items), func(a, b Item) int { return b.Product.CubicCm - a.Product.CubicCm })
	var parcels []Parcel
	for _, item := range sorted {
		for range item.Quantity {
			at := slices.IndexFunc(parcels, func(p Parcel) bool {
				return p.Grams+item.Product.Grams <= 25_000 && p.CubicCm+item.Product.CubicCm <= 60_000
			})
			if at < 0 {
				at = len(parcels)
				parcels = append(parcels, Parcel{})
			}
			parcels[at].Grams += item.Product.Grams
			parcels[at].CubicCm += item.Product.CubicCm
			parcels[at].Pieces++
		}
	}
	return parcels
}

// PrintInvoice is the invoice as text, and what is to be paid in cents.
func PrintInvoice(items []Item, tax, parcels int) (string, int) {
	var text strings.Builder
	total := tax
	for _, item := range items {
		total += item.Cents
		fmt.Fprintf(&text, "%s %-30s %4d %12.2f %s\n",
			item.Product.SKU, item.Product.Title, item.Quantity, float64(item.Cents)/100, item.Note)
	}
	fmt.Fprintf(&text, "%d parcels, tax %.2f, total %.2f\n", parcels, float64(tax)/100, float64(total)/100)
	return text.String(), total
}

// SealInvoice is a seal over the text, so that a printed invoice can be checked: FNV-1a in eight rounds.
func SealInvoice(text string) string {
	seal := uint32(0x811c9dc5)
	for round := range uint32(8) {
		for i := range len(text) {
			seal = (seal ^ (uint32(text[i]) + round)) * 0x01000193
		}
	}
	return fmt.Sprintf("%08x", seal)
}
