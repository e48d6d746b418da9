// A packed case taken apart; see packing.py for its order, and messages.py for what comes before it.
const COLOUR_BYTES = 768; // of a table of 256 colours
const CHUNK_BYTES = 65536;
const BUSY_MS = 12; // longest work without a pause

function unpack(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  let place = 0;
  const take = (count) => bytes.subarray(place, (place += count));
  const takeText = () => {
    const length = new DataView(bytes.buffer, bytes.byteOffset + place, 4).getUint32(0, true);
    place += 4;
    return new TextDecoder().decode(take(length));
  };
  const { mark, closed } = JSON.parse(takeText());
  const head = JSON.parse(takeText());
  const [mapRows, mapColumns] = head.mapGrid;
  const evidence = take(4 * head.classes.length * head.squares.length * mapRows * mapColumns).slice(); // aligned
  const colours = [...head.colours, 'signed'].map(() => take(COLOUR_BYTES));
  const stream = bytes.subarray(place); // or as much of it as came with the case
  const [slices, rows, columns] = head.box.slice(3);
  return {
    head, colours, stream, mark, closed,
    maps: new Float32Array(evidence.buffer),
    samples: new Uint8Array(head.squares.length * head.names.length * head.samplePx ** 2),
    volumes: head.names.map(() => new Uint16Array(slices * rows * columns)),
    high: new Set(), // slices whose upper bits have come
    low: new Set(), // slices that are exact
    sampled: head.samplePx === 0,
    kept: false, // whether the voxels are those of the case before
    complete: false,
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

async function receive(packed, isWanted, onNews) { // fill the voxels; tell whenever something is complete
  const pipe = new DecompressionStream('deflate-raw');
  const reader = pipe.readable.getReader();
  const fed = feed(packed, pipe.writable.getWriter(), isWanted);
  const parts = partsOf(packed);
  let [place, at, since] = [0, 0, performance.now()];
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
    if (performance.now() - since > BUSY_MS) { // let the browser paint and listen
      await new Promise((go) => { setTimeout(go); });
      since = performance.now();
    }
  }
  await fed;
  packed.complete = true;
}

async function feed(packed, writer, isWanted) { // what came with the case, then the rest of it
  const { stream, head } = packed;
  try {
    await writeAll(writer, stream, isWanted);
    if (stream.length < head.streamBytes) await writeAll(writer, await restOf(head.stream, isWanted), isWanted);
    if (isWanted()) await writer.close();
    else await writer.abort();
  } catch (error) {
    if (isWanted()) throw error;
  }
}

async function writeAll(writer, bytes, isWanted) {
  for (let from = 0; from < bytes.length && isWanted(); from += CHUNK_BYTES) {
    await writer.ready;
    writer.write(bytes.subarray(from, from + CHUNK_BYTES)).catch(() => {}); // the reader hears of an error
  }
}

function restOf(stream, isWanted) { // comes in a message of its own, see rest.js
  const found = document.brainmriRests?.get(stream);
  if (found) return found;
  return new Promise((resolve) => {
    const hear = ({ detail }) => {
      if (detail.stream !== stream && isWanted()) return;
      document.removeEventListener('brainmri-rest', hear);
      resolve(detail.bytes);
    };
    document.addEventListener('brainmri-rest', hear);
  });
}

function levelAt(packed, index, slice, row, column) { // outside the box that was sent there is air
  const [firstSlice, firstRow, firstColumn, slices, rows, columns] = packed.head.box;
  const [s, r, c] = [slice - firstSlice, row - firstRow, column - firstColumn];
  if (s < 0 || r < 0 || c < 0 || s >= slices || r >= rows || c >= columns) return packed.head.background[index];
  return packed.volumes[index][(s * rows + r) * columns + c];
}
