import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import java.util.stream.*;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;

/** Samples this process with the JDK's Flight Recorder; one recording is one window. */
final class Profiler {
    private static final Duration INTERVAL = Duration.ofMillis(10);
    private Recording recording = start();

    private static Recording start() {
        var recording = new Recording();
        recording.enable("jdk.ExecutionSample").withPeriod(INTERVAL);
        recording.start();
        return recording;
    }

    /** The window that ends now, as the body of a snapshot. */
    byte[] rotate() throws java.io.IOException {
        var file = Files.createTempFile("window", ".jfr");
        recording.dump(file);
        recording.close();
        recording = start();
        var stacks = RecordingFile.readAllEvents(file).stream()
            .filter(event -> event.getStackTrace() != null)
            .collect(Collectors.groupingBy(event -> event.getStackTrace().getFrames().stream().map(frame -> {
                var method = frame.getMethod();
                var type = method.getType().getName();
                return new Pprof.Frame(type + "." + method.getName(), type.replace('.', '/') + ".java", frame.getLineNumber());
            }).toList(), Collectors.counting()));
        Files.delete(file);
        return Pprof.encode(stacks, INTERVAL.toNanos());
    }
}
