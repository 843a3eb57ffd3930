// On the page for a photo of a parcel: the picture is made small before it is sent, upright and without where it was taken.
// Without this script, or where the browser cannot read the picture, the file goes as it is, and what is too large is refused.
"use strict";

{
  const SIDE = 1600, QUALITY = 0.85;
  const input = document.getElementById("photo");
  const form = input.form;
  let making = null;

  const small = async (file) => {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    const files = new DataTransfer();
    files.items.add(new File([blob], "parcel.jpg", { type: "image/jpeg" }));
    input.files = files.files;
  };

  input.addEventListener("change", () => {
    if (input.files.length === 0) return;
    making = small(input.files[0]).catch(() => {}).finally(() => { making = null; });
  });

  form.addEventListener("submit", (event) => {
    if (making === null) return;
    event.preventDefault();
    making.then(() => form.requestSubmit());
  });
}
