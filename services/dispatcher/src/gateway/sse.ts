/** The JSON events of a server-sent stream, without its end mark and comments. Throws when it breaks off. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<object> {
  let rest = "";
  let done = false;
  for await (const text of body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    rest += text;
    const lines = rest.split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data === "[DONE]") done = true;
      else if (data !== "") yield JSON.parse(data) as object;
    }
  }
  if (!done) throw new Error("the stream broke off");
}
