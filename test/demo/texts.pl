# Splits files of texts (separated by lines with a lone %) into rows for COPY, and lists phrases to search for.
#
#   perl -CS texts.pl PEOPLE ROWS PHRASES FILE ...
#
# ROWS gets one line a text: number, person (in turn), text. PHRASES gets every line of a text that is longer than
# 30 characters and has at least six words (rulers of dashes occur anywhere), as it stands in a data file and in a dump.
use strict;
use warnings;

my ($people, $rows_name, $phrases_name, @names) = @ARGV;
open my $rows, '>:encoding(UTF-8)', $rows_name or die "$rows_name: $!\n";
open my $phrases, '>:encoding(UTF-8)', $phrases_name or die "$phrases_name: $!\n";
my (%seen_text, %seen_phrase);
my $number = 0;

for my $name (@names) {
    open my $file, '<:encoding(UTF-8)', $name or die "$name: $!\n";
    my $content = do { local $/; <$file> };
    for my $text (split /^%\n/m, $content) {
        chomp $text;
        next if $text !~ /\S/ || $seen_text{$text}++;
        $number++;
        for my $line (split /\n/, $text) {
            # A tab or backslash is written otherwise in a dump.
            next if length $line <= 30 || $line =~ /[\\[:cntrl:]]/ || (() = $line =~ /\w+/g) < 6;
            print $phrases "$line\n" unless $seen_phrase{$line}++;
        }
        (my $field = $text) =~ s/([\\\n\r\t])/{ "\\" => "\\\\", "\n" => "\\n", "\r" => "\\r", "\t" => "\\t" }->{$1}/ge;
        print $rows $number, "\t", 1 + $number % $people, "\t", $field, "\n";
    }
}
close $rows or die "$rows_name: $!\n";
close $phrases or die "$phrases_name: $!\n";
