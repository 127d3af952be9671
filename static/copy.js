// Copies the text of a field. Without this script the buttons stay hidden, and the text is marked and copied by hand.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  const said = button.nextElementSibling;
  button.hidden = false;
  button.addEventListener("click", async () => {
    said.textContent = (await copied(field)) ? button.dataset.done : button.dataset.failed;
  });
}

// Only pages that came by https (or from this machine) may use the clipboard; elsewhere the older way works.
async function copied(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand("copy");
  }
}
