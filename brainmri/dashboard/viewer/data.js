// A packed case taken apart; see __init__.py for its order.

function unpack(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const [slices, rows, columns] = head.box.slice(3);
  const count = slices * rows * columns;
  let place = 4 + length;
  const volumes = head.names.map(() => {
    const part = bytes.subarray(place, place + 2 * count);
    place += 2 * count;
    const aligned = part.byteOffset % 2 === 0 ? part : part.slice();
    return new Uint16Array(aligned.buffer, aligned.byteOffset, count);
  });
  const mapBytes = head.classes.length * head.squares.length * head.mapSide ** 2;
  const maps = bytes.subarray(place, place + mapBytes);
  place += mapBytes;
  const sampleBytes = head.squares.length * head.names.length * head.samplePx ** 2;
  const samples = bytes.subarray(place, place + sampleBytes);
  const colours = bytes.subarray(place + sampleBytes, place + sampleBytes + 768);
  return { head, volumes, maps, samples, colours };
}

function levelAt(packed, index, slice, row, column) { // 0 outside the box that was sent
  const [firstSlice, firstRow, firstColumn, slices, rows, columns] = packed.head.box;
  const [s, r, c] = [slice - firstSlice, row - firstRow, column - firstColumn];
  if (s < 0 || r < 0 || c < 0 || s >= slices || r >= rows || c >= columns) return 0;
  return packed.volumes[index][(s * rows + r) * columns + c];
}
