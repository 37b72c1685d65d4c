// Command bootstrap prices orders: a function for the runtime provided.al2023, profiled with one line in main.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	profileloop "github.com/org/lambda-profile-action/agents/go"
)

// Order is the event: without lines, the standing order of the north hall.
type Order struct {
	Customer string `json:"customer"`
	Country  string `json:"country"`
	Lines    []Line `json:"lines"`
}

// Line is an article and how many of it.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
	Note     string `json:"note"`
}

// Priced is the answer.
type Priced struct {
	TotalCents int    `json:"total"`
	Parcels    int    `json:"parcels"`
	Seal       string `json:"seal"`
}

// maxLines of one order.
const maxLines = 2000

func main() {
	profileloop.ScheduleProfileLoop(context.Background(), nil)
	catalog := NewCatalog(4000)
	lambda.Start(func(ctx context.Context, order Order) (Priced, error) {
		return price(ctx, catalog, order)
	})
}

func price(_ context.Context, catalog *Catalog, order Order) (Priced, error) {
	if len(order.Lines) > maxLines {
		return Priced{}, fmt.Errorf("an order has at most %d lines, this has %d", maxLines, len(order.Lines))
	}
	lines := order.Lines
	if len(lines) == 0 {
		lines = catalog.StandingOrder()
	}
	var items []Item
	for _, line := range lines {
		product, ok := catalog.Find(line.SKU)
		if !ok {
			return Priced{}, fmt.Errorf("no product %q", line.SKU)
		}
		item := Item{Product: product, Quantity: line.Quantity, Note: TidyNote(line.Note)}
		item.Cents = product.Cents*line.Quantity - BestDiscount(item, order.Customer)
		items = append(items, item)
	}
	tax := ComputeTax(items, order.Country)
	parcels := PackParcels(items)
	invoice, total := PrintInvoice(items, tax, len(parcels))
	return Priced{TotalCents: total, Parcels: len(parcels), Seal: SealInvoice(invoice)}, nil
}
