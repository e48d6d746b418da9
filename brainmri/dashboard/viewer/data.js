// A packed case taken apart; see packing.py for its order.
const COLOUR_BYTES = 768; // of a table of 256 colours

function unpack(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let place = 4 + length;
  const take = (count) => bytes.subarray(place, (place += count));
  const [mapRows, mapColumns] = head.mapGrid;
  const evidence = take(4 * head.classes.length * head.squares.length * mapRows * mapColumns).slice(); // aligned
  const colours = [...head.colours, 'signed'].map(() => take(COLOUR_BYTES));
  const stream = take(head.streamBytes);
  const rest = bytes.subarray(place); // a mark, where one was made before
  const mark = rest.length ? JSON.parse(new TextDecoder().decode(rest)) : null;
  const [slices, rows, columns] = head.box.slice(3);
  return {
    head, colours, stream, mark,
    maps: new Float32Array(evidence.buffer),
    samples: new Uint8Array(head.squares.length * head.names.length * head.samplePx ** 2),
    volumes: head.names.map(() => new Uint16Array(slices * rows * columns)),
    high: new Set(), // slices whose upper bits have come
    low: new Set(), // slices that are exact
    sampled: head.samplePx === 0,
    kept: false, // whether the voxels are those of the case before
  };
}

function partsOf(packed) { // of the stream, in order: which bytes go where
  const { head, volumes, samples } = packed;
  const [first, , , , rows, columns] = head.box;
  const size = rows * columns;
  const all = head.names.map((_, index) => index);
  const planes = (kind, indices) => head.order.flatMap((slice) => indices.map((index, nth) => ({
    kind, size, values: volumes[index], start: (slice - first) * size, by: head.lowBits[index],
    slice: nth === indices.length - 1 ? slice : null, // complete with this part
  })));
  const given = samples.length ? [{ kind: 'samples', size: samples.length, values: samples, start: 0, by: 0, slice: null }] : [];
  return [...planes('high', all), ...given, ...planes('low', all.filter((index) => head.lowBits[index] > 0))];
}

function fill(part, at, bytes) {
  const { kind, values, by } = part;
  const start = part.start + at;
  if (kind === 'high') for (let i = 0; i < bytes.length; i += 1) values[start + i] = bytes[i] << by;
  else if (kind === 'low') for (let i = 0; i < bytes.length; i += 1) values[start + i] |= bytes[i];
  else values.set(bytes, start);
}

async function receive(packed, isWanted, onNews) { // fill the voxels; tell after each chunk that completed something
  const reader = new Blob([packed.stream]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts = partsOf(packed);
  let place = 0;
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (!isWanted()) { reader.cancel(); return; }
    if (done) break;
    const before = place;
    for (let from = 0; from < value.length;) {
      const part = parts[place];
      const bytes = value.subarray(from, from + part.size - at);
      if (!packed.kept || part.kind === 'samples') fill(part, at, bytes);
      from += bytes.length;
      at += bytes.length;
      if (at < part.size) break;
      if (part.kind === 'samples') packed.sampled = true;
      else if (part.slice !== null) packed[part.kind].add(part.slice); // a set: a kept slice is there already
      place += 1;
      at = 0;
    }
    if (place > before) onNews();
  }
  packed.stream = null; // its memory
}

function levelAt(packed, index, slice, row, column) { // 0 outside the box that was sent
  const [firstSlice, firstRow, firstColumn, slices, rows, columns] = packed.head.box;
  const [s, r, c] = [slice - firstSlice, row - firstRow, column - firstColumn];
  if (s < 0 || r < 0 || c < 0 || s >= slices || r >= rows || c >= columns) return 0;
  return packed.volumes[index][(s * rows + r) * columns + c];
}
