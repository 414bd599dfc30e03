// What a host's trace tells of, and what makes the state follow it: what each micro-step is, and why.

extension MicroStep {
    private static let ours = "the simulation's own: a trace tells what KVM was told, not why"

    static let traceInfos: [Row] = [
        row(
            .toldPage, .host, "the host", "a page goes", "The process's entry for the page goes; KVM is told next.",
            "The trace has a line of KVM's notifier here. What made the host do it is in no line.", ours),
        row(
            .toldChange, .host, "the host", "another frame", "The process is to have another frame there; KVM is told of it before the entry is set.",
            "A copy was made, or equal pages were merged: the line does not say which.", ours),
        row(
            .toldChangeEntry, .host, "the host", "set the new entry", "The process's entry names the new frame.",
            "From here on the guest's next fault finds it.", ours),
        row(
            .toldNothing, .host, "the host", "noted", "A line of the trace that changes nothing that is simulated.",
            "v3.9 has no page aging for guests: kvm_age_hva returns 0. The note says what newer kernels do.", ours),
        row(
            .followPage, .host, "follow the trace", "which page is to change?", "The next page at which the host's tables differ from these.",
            "The trace is the truth: what it shows could not have happened with the tables as they are here.", ours),
        row(
            .followLeaf, .host, "follow the trace", "set the leaf as the host had it", "A leaf is set as the trace shows that it stood on the host.",
            "No line says when the host did it; the note names the likely cause.", ours),
        row(.followNext, .host, "follow the trace", "the next page", "On to the next page.", "", ours),
        row(
            .followUnmap, .host, "follow the trace", "take the leaf away", "The leaf goes, and its TLB entries: the trace shows that the host had none.",
            "No line says when the host did it; the note names the likely cause.", ours),
        row(
            .followDeny, .host, "follow the trace", "the host refuses the page", "The process's entry becomes one that get_user_pages refuses.",
            "The trace shows that KVM_RUN failed here, and nothing was mapped.", ours),
    ]
}
