// What is left of a large case, in a message of its own: the viewer shows the case before this has come.
const KEPT_RESTS = 2;
const seen = new WeakMap();

export default function hold({ data, parentElement }) {
  if (!data || seen.get(parentElement) === data) return;
  seen.set(parentElement, data);
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const stream = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const rests = (document.brainmriRests ??= new Map());
  rests.set(stream, bytes.subarray(4));
  for (const old of [...rests.keys()].slice(0, -KEPT_RESTS)) rests.delete(old);
  document.dispatchEvent(new CustomEvent('brainmri-rest', { detail: { stream, bytes: bytes.subarray(4) } }));
}
