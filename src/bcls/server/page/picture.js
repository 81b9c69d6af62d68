// A picture of the person's own: chosen, dropped or pasted; made smaller here where it is large.

const LARGEST_SIDE = 1600;
const SMALL_ENOUGH = 2_000_000;

const base64 = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });

async function smaller(file) {
  const bitmap = await createImageBitmap(file);
  const factor = Math.min(1, LARGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * factor), Math.round(bitmap.height * factor));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

export async function readPicture(file) {
  if (!file.type.startsWith("image/")) throw new Error(`“${file.name}” is not a picture.`);
  let content = file;
  if (file.size > SMALL_ENOUGH) {
    content = await smaller(file).catch(() => {
      throw new Error(`“${file.name}” cannot be read as a picture.`);
    });
  }
  return { name: file.name || "pasted picture", base64: await base64(content), address: URL.createObjectURL(content) };
}

export const pictureAmong = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? transfer?.files?.[0];
