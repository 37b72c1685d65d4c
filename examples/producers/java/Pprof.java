import java.io.*;
import java.util.*;
import java.util.zip.GZIPOutputStream;

/** Stacks as profile.proto, with nothing but the JDK. */
final class Pprof {
    record Frame(String name, String file, int line) {}

    static byte[] encode(Map<List<Frame>, Long> stacks, long intervalNanos) throws IOException {
        var strings = new LinkedHashMap<String, Integer>(Map.of("", 0));
        var frames = new LinkedHashMap<Frame, Integer>();
        var out = new ByteArrayOutputStream();
        for (var type : List.of(List.of("samples", "count"), List.of("cpu", "nanoseconds")))
            bytes(out, 1, m -> { number(m, 1, of(strings, type.get(0))); number(m, 2, of(strings, type.get(1))); });
        stacks.forEach((stack, n) -> bytes(out, 2, m -> {
            for (var frame : stack) number(m, 1, 1 + of(frames, frame));
            number(m, 2, n);
            number(m, 2, n * intervalNanos);
        }));
        frames.forEach((frame, i) -> {
            bytes(out, 5, m -> { number(m, 1, i + 1); number(m, 2, of(strings, frame.name)); number(m, 4, of(strings, frame.file)); });
            bytes(out, 4, m -> { number(m, 1, i + 1); bytes(m, 4, line -> { number(line, 1, i + 1); number(line, 2, frame.line); }); });
        });
        strings.keySet().forEach(text -> bytes(out, 6, m -> m.writeBytes(text.getBytes(java.nio.charset.StandardCharsets.UTF_8))));
        number(out, 12, intervalNanos);
        var body = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(body)) { out.writeTo(gzip); }
        return body.toByteArray();
    }

    private static <T> int of(Map<T, Integer> table, T entry) {
        return table.computeIfAbsent(entry, e -> table.size());
    }

    private static void number(ByteArrayOutputStream out, int field, long value) { varint(out, field << 3); varint(out, value); }

    private static void bytes(ByteArrayOutputStream out, int field, java.util.function.Consumer<ByteArrayOutputStream> write) {
        var message = new ByteArrayOutputStream();
        write.accept(message);
        varint(out, field << 3 | 2);
        varint(out, message.size());
        out.writeBytes(message.toByteArray());
    }

    private static void varint(ByteArrayOutputStream out, long n) {
        for (; (n & ~127L) != 0; n >>>= 7) out.write((int) (n & 127 | 128));
        out.write((int) n);
    }
}
