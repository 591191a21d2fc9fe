// Timers of a hidden page are held back to one a minute; a worker's are not.
self.onmessage = ({ data }: MessageEvent<{ id: number; milliseconds: number }>) => {
  setTimeout(() => self.postMessage(data.id), data.milliseconds);
};
