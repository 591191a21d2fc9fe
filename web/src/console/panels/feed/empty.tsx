/** Shown instead of an empty list. */
export function Empty({ of: [title, advice] }: { of: [title: string, advice: string] }) {
  return (
    <div class="empty-view">
      <p class="empty-title">{title}</p>
      <p>{advice}</p>
    </div>
  );
}
