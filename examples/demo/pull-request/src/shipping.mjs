const MAX_GRAMS = 25_000;
const MAX_CUBIC_CM = 60_000;

/** Packs an order into parcels, first fit among the parcels that still have room for anything. */
export function packParcels(lines) {
  const pieces = [];
  for (const { product, quantity } of lines)
    for (let i = 0; i < quantity; i++) pieces.push({ grams: product.grams, cubicCm: product.cubicCm });
  pieces.sort(byVolume);
  const parcels = [];
  const smallest = pieces.at(-1)?.cubicCm ?? 0;
  let open = [];
  for (const piece of pieces) {
    let parcel;
    for (const candidate of open)
      if (candidate.grams + piece.grams <= MAX_GRAMS && candidate.cubicCm + piece.cubicCm <= MAX_CUBIC_CM) {
        parcel = candidate;
        break;
      }
    if (!parcel) {
      parcel = { grams: 0, cubicCm: 0, pieces: 0 };
      parcels.push(parcel);
      open.push(parcel);
    }
    parcel.grams += piece.grams;
    parcel.cubicCm += piece.cubicCm;
    parcel.pieces++;
    if (parcel.cubicCm + smallest > MAX_CUBIC_CM)
      open = open.filter(function hasRoom(candidate) {
        return candidate !== parcel;
      });
  }
  return parcels;
}

function byVolume(a, b) {
  return b.cubicCm - a.cubicCm || b.grams - a.grams;
}
