// The volume view of a case. NiiVue (bundled before this text) draws; Python sends the volumes once (see __init__.py).
const states = new WeakMap(); // a rerun calls the default export again with the same parentElement
const VIEWS = { slices: 'Slices', render: '3D' };
const OVERLAY_OPACITY = 0.45;

export default function show({ data, parentElement }) {
  let state = states.get(parentElement);
  if (!state) {
    state = createState(parentElement);
    states.set(parentElement, state);
  }
  if (data && data !== state.data) {
    state.data = data;
    state.packed = unpack(data);
    state.sequence = state.packed.head.first;
    showControls(state);
    state.opening = state.opening.then(() => open(state)).catch((error) => say(state, `The volume cannot be shown: ${error.message}`));
  }
  return () => {};
}

function createState(root) {
  const parts = {};
  for (const element of root.querySelectorAll('[data-part]')) parts[element.dataset.part] = element;
  const state = { parts, data: null, packed: null, sequence: null, view: 'slices', viewer: null, opening: Promise.resolve() };
  parts.overlay.addEventListener('change', () => showOverlay(state));
  return state;
}

function unpack(data) {
  const bytes = new Uint8Array(data);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const volumes = {};
  for (const { name, size } of head.volumes) {
    volumes[name] = bytes.slice(at, at + size).buffer;
    at += size;
  }
  return { head, volumes };
}

function showControls(state) {
  const { sequences, views } = state.parts;
  const { head } = state.packed;
  const choice = (label, pressed, act) => {
    const button = document.createElement('button');
    button.textContent = label;
    button.setAttribute('aria-pressed', String(pressed));
    button.addEventListener('click', act);
    return button;
  };
  sequences.replaceChildren(...head.sequences.map((name) => choice(name, name === state.sequence, () => {
    state.sequence = name;
    showControls(state);
    state.opening = state.opening.then(() => open(state));
  })));
  views.replaceChildren(...Object.entries(VIEWS).map(([view, label]) => choice(label, view === state.view, () => {
    state.view = view;
    showControls(state);
    showView(state);
  })));
  state.parts['overlay-label'].hidden = !head.overlay;
  state.parts['overlay-name'].textContent = head.overlay ?? '';
}

async function open(state) {
  if (!document.createElement('canvas').getContext('webgl2')) {
    say(state, 'This browser has no WebGL 2, which the volume view needs. The slices above work without it.');
    return;
  }
  say(state, 'Opening …');
  const { Niivue, NVImage } = globalThis.niivue;
  if (!state.viewer) {
    state.viewer = new Niivue({ backColor: [0, 0, 0, 1], isRadiologicalConvention: true, crosshairWidth: 0.5,
      crosshairColor: [1, 0.84, 0.31, 0.8], show3Dcrosshair: false, multiplanarLayout: 3, logLevel: 'error', dragAndDropEnabled: false });
    await state.viewer.attachToCanvas(state.parts.canvas);
  }
  const { viewer, packed } = state;
  const read = (name, colours, opacity) => NVImage.loadFromUrl({ url: packed.volumes[name].slice(0), name: `${name}.nii.gz`, colormap: colours, opacity });
  const volumes = [await read(state.sequence, 'gray', 1)];
  if (packed.head.overlay) volumes.push(await read('overlay', 'warm', OVERLAY_OPACITY));
  for (const old of [...viewer.volumes]) viewer.removeVolume(old);
  for (const volume of volumes) viewer.addVolume(volume);
  if (volumes.length > 1 && state.placed !== state.data) {
    state.placed = state.data; // another sequence of the same case keeps the visitor's place
    viewer.scene.crosshairPos = viewer.mm2frac(centreOf(volumes[1]));
  }
  showView(state);
  showOverlay(state);
  say(state, '');
}

function centreOf(mask) { // of the voxels above 0, in mm
  const [, columns, rows] = mask.hdr.dims;
  const sum = [0, 0, 0];
  let count = 0;
  mask.img.forEach((value, index) => {
    if (!value) return;
    sum[0] += index % columns;
    sum[1] += Math.floor(index / columns) % rows;
    sum[2] += Math.floor(index / (columns * rows));
    count += 1;
  });
  const [x, y, z] = sum.map((total) => total / Math.max(count, 1));
  return mask.hdr.affine.slice(0, 3).map((row) => row[0] * x + row[1] * y + row[2] * z + row[3]);
}

function showView(state) {
  if (!state.viewer) return;
  state.viewer.setSliceType(state.view === 'render' ? state.viewer.sliceTypeRender : state.viewer.sliceTypeMultiplanar);
}

function showOverlay(state) {
  if (state.viewer?.volumes.length > 1) state.viewer.setOpacity(1, state.parts.overlay.checked ? OVERLAY_OPACITY : 0);
}

function say(state, text) {
  state.parts.said.textContent = text;
}
