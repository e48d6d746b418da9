// A packed case taken apart; see __init__.py for its order.

function unpack(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const [slices, rows, columns] = head.shape;
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
