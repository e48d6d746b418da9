// The time left of a case. The server decides; this only shows it, and asks the server when the time is over.
const running = new WeakMap();
const WARN_S = 10;

function write(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

export default function show({ parentElement, data, setTriggerValue }) {
  clearInterval(running.get(parentElement));
  const face = parentElement.querySelector('[data-part=left]');
  const note = parentElement.querySelector('[data-part=note]');
  const end = performance.now() + data.left * 1000;
  let told = false;
  const tick = () => {
    const left = (end - performance.now()) / 1000;
    face.textContent = write(left);
    face.classList.toggle('short', left < WARN_S);
    note.textContent = left > 0 ? 'left' : 'Time is over';
    if (!told && left < -data.grace) {
      told = true;
      setTriggerValue('over', data.key);
    }
  };
  tick();
  running.set(parentElement, setInterval(tick, 250));
  return () => clearInterval(running.get(parentElement));
}
