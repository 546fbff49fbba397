/** The token of the user, for this tab. On your own machine, the Worker needs none. */

const KEY = "token";

/** The token, if the user has given one. */
export const token = sessionStorage.getItem(KEY) ?? undefined;

/** Asks for a token, and loads the page again with it. */
export function TokenForm() {
  return (
    <form
      action={(form) => {
        sessionStorage.setItem(KEY, String(form.get(KEY)));
        location.reload();
      }}
    >
      <p>The Worker needs a token. `npm run token` prints one.</p>
      <input name={KEY} type="password" aria-label="Token" required />
      <button>Continue</button>
    </form>
  );
}
